"""The tables of AVI, FLV and Windows Media files, and of the programs of MPEG transport streams."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from .tables import Parts, Tables, TooManySteps, Window

_PACKET = 188
_SPACINGS = ((188, 0), (192, 4), (204, 0))
"""Bytes from one packet to the next, and how many of them stand before it: broadcast, discs, with error correction."""
_LOOK_BYTES = 5 << 20
_LOOK_AT_SCRAMBLING = 2000
_LISTS = (b"RIFF", b"LIST")
_UNKNOWN_SIZE = 0xFFFFFFFF
"""Of a list in an AVI that was written to a pipe."""
_MAX_DEPTH = 4
_VIDEO_STREAMS = frozenset(bytes((number,)) for number in (*range(0xE0, 0xF0), 0xFD))
"""What a packetised video stream says that it is. Source: ISO 13818-1, table 2-22."""
_ASF_HEADER_BYTES = 64 << 10
_PROTECTIONS = tuple(
    UUID(guid).bytes_le
    for guid in (
        "2211b3fb-bd23-11d2-b4b7-00a0c955fc6e",
        "298ae614-2622-4c17-b935-dae07ee9289c",
        "43058533-6981-49e6-9b74-ad12cb86d58c",
    )
)
"""Objects that hold keys: Content Encryption, Extended and Advanced. Source: Advanced Systems Format, section 10."""
_SCRIPT = 18
_FIRST_TAGS = 100


def read_avi_tables(window: Window, tables: Tables) -> None:
    """Note what the file lists."""
    try:
        _read_chunks(window, tables, (0, window.size), depth=0)
    except TooManySteps:
        return


def _chunks(window: Window, at: int, end: int) -> Parts:
    while at + 8 <= end:
        window.step()
        head = window.read(at, 8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        yield head[:4], at + 8, at + 8 + size
        at += 8 + size + size % 2


def _read_chunks(window: Window, tables: Tables, span: tuple[int, int], *, depth: int) -> None:
    for kind, body, end in _chunks(window, *span):
        if kind in _LISTS and depth < _MAX_DEPTH:
            name = window.read(body, 4)
            if name == b"strl":
                tables.add("tracks")
            if name == b"AVI " and end > window.size and end - body != _UNKNOWN_SIZE:
                tables.cut = f"its RIFF list should end at byte {end}, the file ends at byte {window.size}"
            if name != b"movi":
                _read_chunks(window, tables, (body + 4, min(end, window.size)), depth=depth + 1)
        elif kind == b"indx":
            tables.note("parts of an index", window.u32(body + 4, is_little=True))
        elif kind == b"idx1":
            tables.note("bytes in an index", end - body)


def read_stream_programs(window: Window, tables: Tables) -> None:
    """Note how many programs the first table of programs lists; it may be spread over several sections."""
    sections: dict[int, int] = {}
    pending = b""
    for packet in _packets(window, _LOOK_BYTES // _PACKET):
        if packet[1] & 0x1F or packet[2]:  # another PID than 0
            continue
        is_start, field = packet[1] & 0x40, packet[3] >> 4 & 3
        at = 5 + packet[4] if field == 3 else 4
        if field in (0, 2) or at >= _PACKET:
            continue
        payload = packet[at:]
        pending = payload[1 + payload[0] :] if is_start else pending + payload
        if len(pending) >= 8:
            length = (pending[1] & 0x0F) << 8 | pending[2]
            sections[pending[6]] = max(sections.get(pending[6], 0), (length - 9) // 4)
    tables.note("programs", sum(sections.values()))


def _packets(window: Window, most: int) -> Iterator[bytes]:
    for spacing, before in _SPACINGS:
        if all(window.read(before + spacing * number, 1) == b"\x47" for number in range(3)):
            for number in range(most):
                packet = window.read(before + spacing * number, _PACKET)
                if len(packet) < _PACKET or packet[0] != 0x47:
                    return
                yield packet
            return


def read_flv_script(window: Window, tables: Tables) -> None:
    """Note how large the first piece of script data is: it holds the index, which FFmpeg sorts."""
    at = int.from_bytes(window.read(5, 4), "big") + 4
    for _ in range(_FIRST_TAGS):
        head = window.read(at, 4)
        if len(head) < 4:
            return
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x1F == _SCRIPT:
            tables.note("bytes of script data", size)
        at += 11 + size + 4


def is_scrambled(window: Window) -> bool:
    """Tell whether more packets say that they are scrambled than carry a video that can be read.

    Tables stay clear in a scrambled stream, and in a short one they are most of it.
    """
    scrambled = 0
    clear, videos = Counter[int](), set[int]()
    for packet in _packets(window, _LOOK_AT_SCRAMBLING):
        pid, at = (packet[1] & 0x1F) << 8 | packet[2], 5 + packet[4] if packet[3] & 0x20 else 4
        if not packet[3] & 0x10:  # no payload
            continue
        if packet[3] >> 6 in (2, 3):
            scrambled += 1
            continue
        clear[pid] += 1
        if packet[1] & 0x40 and packet[at : at + 3] == b"\0\0\1" and packet[at + 3 : at + 4] in _VIDEO_STREAMS:
            videos.add(pid)
    return scrambled > sum(clear[pid] for pid in videos)


def is_protected(window: Window) -> bool:
    """Tell whether the header of a Windows Media file names the keys of its content."""
    head = window.read(0, min(window.size, _ASF_HEADER_BYTES))
    return any(guid in head for guid in _PROTECTIONS)
