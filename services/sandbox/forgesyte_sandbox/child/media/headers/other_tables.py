"""The tables of AVI and FLV files, and of the programs of MPEG transport streams."""

from collections.abc import Iterator

from .tables import Parts, Tables, TooManySteps, Window

_PACKET = 188
_SPACINGS = ((188, 0), (192, 4), (204, 0))
"""Bytes from one packet to the next, and how many of them stand before it: broadcast, discs, with error correction."""
_LOOK_BYTES = 5 << 20
_LOOK_AT_SCRAMBLING = 2000
_LISTS = (b"RIFF", b"LIST")
_MAX_DEPTH = 4
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
            if name == b"AVI " and end > window.size:
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
    """Tell whether most packets with a payload say that they are scrambled."""
    scrambled = carried = 0
    for packet in _packets(window, _LOOK_AT_SCRAMBLING):
        carried += bool(packet[3] & 0x10)
        scrambled += bool(packet[3] & 0x10) and packet[3] >> 6 in (2, 3)
    return scrambled * 2 > carried
