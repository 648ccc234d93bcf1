"""Small files whose tables exceed any use: each keeps a demuxer busy for seconds to minutes, or takes its memory.

Made byte by byte out of healthy ones, because no writer makes them.
"""

import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .making import H264, clip
from .making import written as _written

_TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


@cache
def _plain(name: str, *options: str) -> bytes:
    """Return a healthy clip; made once for all files that are changed from it."""
    with tempfile.TemporaryDirectory() as folder:
        return clip(Path(folder) / name, *(options or H264)).read_bytes()


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return an MP4 box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def element(number: str, *parts: bytes) -> bytes:
    """Return a Matroska element; its length takes eight bytes."""
    body = b"".join(parts)
    return bytes.fromhex(number) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _places(data: bytes, path: tuple[bytes, ...]) -> list[int]:
    at, end, places = 0, len(data), []
    for name in path:
        while data[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", data, at)[0]
            assert at < end, f"no {name!r}"
        places.append(at)
        end, at = at + struct.unpack_from(">I", data, at)[0], at + 8
    return places


def _changed(data: bytes, path: tuple[bytes, ...], new: bytes, *, is_added: bool = False) -> bytes:
    """Put a box in the place of the one at `path`, or at the end of it; the index lies behind the pictures."""
    places = _places(data, path)
    at = places[-1]
    end = at + struct.unpack_from(">I", data, at)[0]
    old = b"" if is_added else data[at:end]
    out = bytearray(data[:end] + new + data[end:] if is_added else data[:at] + new + data[end:])
    for place in places if is_added else places[:-1]:
        struct.pack_into(">I", out, place, struct.unpack_from(">I", out, place)[0] + len(new) - len(old))
    return bytes(out)


def mp4_with(path: tuple[bytes, ...], new: bytes, *, is_added: bool = False) -> Callable[[Path], Path]:
    """Return what writes an MP4 with another box at `path`."""

    def make(folder: Path) -> Path:
        plain = _plain("plain.mp4")
        return _written(folder / "a.mp4", _changed(plain, path, new, is_added=is_added))

    return make


def matroska_with(extra: bytes) -> Callable[[Path], Path]:
    """Return what writes a Matroska file with an element before its first cluster."""

    def make(folder: Path) -> Path:
        plain = _plain("plain.mkv")
        segment = plain.index(bytes.fromhex("18538067"))
        body = segment + 4 + 9 - plain[segment + 4].bit_length()
        cluster = plain.index(bytes.fromhex("1f43b675"), body)
        changed = element("18538067", plain[body:cluster], extra, plain[cluster:])
        return _written(folder / "a.mkv", plain[:segment] + changed)

    return make


def many_edits(count: int) -> Callable[[Path], Path]:
    """An edit list that shows the whole clip again and again."""
    entries = b"".join(struct.pack(">IiI", 2000, 0, 1 << 16) for _ in range(count))
    return mp4_with((b"moov", b"trak", b"edts", b"elst"), box(b"elst", struct.pack(">II", 0, count), entries))


def many_tracks(folder: Path) -> Path:
    """An MP4 whose one track stands in it 300 times."""
    plain = _plain("plain.mp4")
    at = _places(plain, (b"moov", b"trak"))[-1]
    track = plain[at : at + struct.unpack_from(">I", plain, at)[0]]
    return _written(folder / "a.mp4", _changed(plain, (b"moov",), track * 300, is_added=True))


def many_keys(folder: Path) -> Path:
    """An MP4 with 20 000 named texts."""
    names = [b"mdta" + b"k%d" % number for number in range(20_000)]
    keys = box(b"keys", struct.pack(">II", 0, len(names)), *(struct.pack(">I", 4 + len(it)) + it for it in names))
    handler = box(b"hdlr", struct.pack(">II4s", 0, 0, b"mdta"), bytes(13))
    return mp4_with((b"moov",), box(b"meta", handler, keys), is_added=True)(folder)


def many_chapter_samples(folder: Path) -> Path:
    """An MP4 whose track of chapters has more samples than any book."""
    plain = _plain("plain.mp4")
    at = _places(plain, (b"moov", b"trak"))[-1]
    track = plain[at : at + struct.unpack_from(">I", plain, at)[0]]
    header = _places(track, (b"trak", b"tkhd"))[-1]
    chapters = track[: header + 20] + struct.pack(">I", 2) + track[header + 24 :]
    sizes = box(b"stsz", struct.pack(">III", 0, 1, 6000))
    chapters = _changed(chapters, (b"trak", b"mdia", b"minf", b"stbl", b"stsz"), sizes)
    pointing = _changed(plain, (b"moov", b"trak"), box(b"tref", box(b"chap", struct.pack(">I", 2))), is_added=True)
    return _written(folder / "a.mp4", _changed(pointing, (b"moov",), chapters, is_added=True))


def endless_fragment(folder: Path) -> Path:
    """A fragment that lists a hundred million frames in 24 bytes."""
    plain = _plain("plain.mp4", *H264, "-movflags", "frag_keyframe+empty_moov")
    at = plain.index(b"trun") - 4
    size = struct.unpack_from(">I", plain, at)[0]
    run = box(b"trun", struct.pack(">IIi", 1, 100_000_000, 256))
    filled = run + box(b"free", bytes(size - len(run) - 8))
    return _written(folder / "a.mp4", plain[:at] + filled + plain[at + size :])


def chapters(count: int) -> bytes:
    """Matroska chapters."""
    atoms = (element("b6", element("91", (number * 10**6).to_bytes(6, "big"))) for number in range(count))
    return element("1043a770", element("45b9", *atoms))


def attachments(count: int) -> bytes:
    """Matroska attachments."""
    facts = element("4660", b"font/ttf") + element("465c", b"x")
    return element("1941a469", *(element("61a7", element("466e", b"%d.ttf" % it), facts) for it in range(count)))


def tags(count: int) -> bytes:
    """Matroska tags."""
    texts = (element("67c8", element("45a3", b"K%d" % it), element("4487", b"v")) for it in range(count))
    return element("1254c367", element("7373", element("63c0"), *texts))


def cues(times: range) -> bytes:
    """A Matroska index with these times."""
    places = element("b7", element("f7", b"\x01"), element("f1", (900).to_bytes(4, "big")))
    return element("1c53bb6b", *(element("bb", element("b3", it.to_bytes(4, "big")), places) for it in times))


def many_programs(folder: Path) -> Path:
    """A transport stream whose table lists 500 programs, in two sections."""
    packets = bytearray()
    for section in range(2):
        programs = b"".join(struct.pack(">HH", section * 250 + it + 1, 0xE100 + it) for it in range(250))
        head = struct.pack(">BHHBBB", 0, 0xB000 | len(programs) + 9, 1, 0xC1, section, 1)
        data = b"\0" + head + programs
        data += struct.pack(">I", _crc(head + programs))
        for at in range(0, len(data), 184):
            start = 0x40 if at == 0 else 0
            packets += bytes((0x47, start, 0, 0x10 | at // 184 & 15)) + data[at : at + 184].ljust(184, b"\xff")
    return _written(folder / "a.ts", bytes(packets) + _plain("plain.ts"))


def _crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def scattered_index(folder: Path) -> Path:
    """An AVI whose index says that it lies in 5000 parts."""
    plain = _plain("plain.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    at = plain.index(b"strf")
    at += 8 + struct.unpack_from("<I", plain, at + 4)[0]
    body = struct.pack("<HBBI4sIII", 4, 0, 0, 5000, b"00dc", 0, 0, 0) + bytes(16)
    out = bytearray(plain[:at] + struct.pack("<4sI", b"indx", len(body)) + body + plain[at:])
    for name in (b"hdrl", b"strl"):
        place = out.index(name) - 4
        struct.pack_into("<I", out, place, struct.unpack_from("<I", out, place)[0] + len(body) + 8)
    return _written(folder / "a.avi", bytes(out))


def long_script(folder: Path) -> Path:
    """An FLV file whose script data, which holds its index, has two megabytes."""
    plain = _plain("plain.flv")
    body = b"\x02\x00\x0aonMetaData".ljust(2 << 20, b"\0")
    tag = bytes((18,)) + len(body).to_bytes(3, "big") + bytes(7) + body
    return _written(folder / "a.flv", plain[:13] + tag + struct.pack(">I", len(tag)) + plain[13:])


def runs(kind: bytes, count: int, value: int) -> Callable[[Path], Path]:
    """A table of one run that says how long, or how late, `count` frames are."""
    return mp4_with((*_TABLE, b"stts"), box(kind, struct.pack(">IIII", 0, 1, count, value)))


def sizes(count: int) -> Callable[[Path], Path]:
    """A table that says that `count` frames have 16 bytes each."""
    return mp4_with((*_TABLE, b"stsz"), box(b"stsz", struct.pack(">III", 0, 16, count)))


def packed_index(folder: Path) -> Path:
    """An MP4 whose index is packed and promises to become four gigabytes."""
    packed = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", (1 << 32) - 1), bytes(16)))
    plain = _plain("plain.mp4")
    return _written(folder / "a.mp4", plain[: plain.index(b"moov") - 4] + box(b"moov", packed))


POISON: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "many edits": ("MAX_EDITS", many_edits(1025), "1025 entries in an edit list, at most 1024"),
    "300 000 edits": ("MAX_EDITS", many_edits(300_000), "300000 entries in an edit list"),
    "edits over a long track": ("MAX_SAMPLES", runs(b"stts", 1 << 31, 512), "samples in its video tracks"),
    "delays of many frames": ("MAX_SAMPLES", runs(b"ctts", 50_000_000, 0), "50000000 samples"),
    "many equal sizes": ("MAX_SAMPLES", sizes(50_000_000), "50000000 samples in its video tracks, at most 10000000"),
    "an endless fragment": ("MAX_SAMPLES", endless_fragment, "samples in its video tracks"),
    "many tracks": ("MAX_TRACKS", many_tracks, "301 tracks, at most 256"),
    "many chapters": ("MAX_CHAPTERS", matroska_with(chapters(5001)), "5001 chapters, at most 5000"),
    "a long track of chapters": ("MAX_CHAPTERS", many_chapter_samples, "6000 chapters, at most 5000"),
    "many attachments": ("MAX_ATTACHMENTS", matroska_with(attachments(501)), "501 attachments, at most 500"),
    "many tags": ("MAX_TAGS", matroska_with(tags(4097)), "tags, at most 4096"),
    "many keys": ("MAX_TAGS", many_keys, "tags, at most 4096"),
    "an index backwards": (
        "MAX_LATE_CUES", matroska_with(cues(range(300_000, 0, -100))), "index entries out of order, at most 1000",
    ),
    "many programs": ("MAX_PROGRAMS", many_programs, "500 programs, at most 256"),
    "an index in many parts": ("MAX_INDEX_PARTS", scattered_index, "5000 parts of an index, at most 4096"),
    "a packed index": ("MAX_INDEX_BYTES", packed_index, "bytes in an index"),
    "a long script": ("MAX_SCRIPT_BYTES", long_script, "bytes of script data, at most 1048576"),
}  # fmt: skip
"""By name: the limit that each exceeds, what writes it, words of the refusal."""

AT_THE_LIMIT: dict[str, Callable[[Path], Path]] = {
    "MAX_EDITS": many_edits(1024),
    "MAX_CHAPTERS": matroska_with(chapters(5000)),
    "MAX_ATTACHMENTS": matroska_with(attachments(200)),
    "MAX_LATE_CUES": matroska_with(cues(range(0, 300_000, 100))),
}
"""Files that are large, and accepted."""
