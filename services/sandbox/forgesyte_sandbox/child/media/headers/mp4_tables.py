"""The tables of an MP4 or MOV file: what each track lists, what fragments list, whether the video is encrypted."""

import sys
import zlib
from array import array
from itertools import islice

from .edit_list import Edit, SampleTimes, against_edits
from .tables import MAX_EDITS, MAX_INDEX_BYTES, MAX_SAMPLES, MAX_TRACKS, Part, Parts, Tables, TooManySteps, Window

_MAX_DEPTH = 8
_MAX_COMPRESSED_INDEX = 64 << 20
_FOLDERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"moof", b"traf", b"mvex", b"tref"}
)
_LISTS = frozenset({b"stts", b"ctts", b"stsc", b"stsz", b"stz2", b"stco", b"co64", b"stss", b"sidx", b"tfra", b"sdtp"})
_NORMAL_SPEED = bytes.fromhex("00010000")
_ENCRYPTED = frozenset({b"encv", b"drmi"})


class _Track:
    """What one `trak` holds."""

    def __init__(self) -> None:
        self.is_video = False
        self.samples = self.number = self.edit_count = 0
        self.edits: list[Edit] = []
        self.times = SampleTimes()
        self.chapter_tracks: list[int] = []
        self.media_ticks = self.timescale = 0

    @property
    def edited_ticks(self) -> int:
        """How long the edits show pictures, in ticks of the movie."""
        return sum(edit.ticks for edit in self.edits if not edit.is_empty)


def read_mp4_tables(window: Window, tables: Tables) -> None:
    """Note what the file lists."""
    try:
        for kind, body, end in _boxes(window, 0, window.size):
            if kind == b"moov":
                _read_movie(window, tables, body, min(end, window.size))
            elif kind == b"moof":
                _read_fragment(window, tables, body, end)
            elif kind in _LISTS:
                tables.note("bytes in an index", end - body)
    except TooManySteps:
        return


def _boxes(window: Window, at: int, end: int) -> Parts:
    while at + 8 <= end:
        window.step()
        head = window.read(at, 16)
        if len(head) < 8:
            return
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1 and len(head) == 16:
            size, start = int.from_bytes(head[8:16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < start - at:
            return
        yield kind, start, at + size
        at += size


def _read_movie(window: Window, tables: Tables, body: int, end: int) -> None:
    scale, tracks, is_fragmented = 0, list[_Track](), False
    for kind, start, stop in _boxes(window, body, end):
        if kind == b"mvhd":
            scale = window.u32(start + (20 if window.read(start, 1) == b"\1" else 12))
        elif kind == b"trak":
            tables.add("tracks")
            tracks.append(_read_track(window, tables, start, min(stop, end)))
        elif kind == b"udta" or kind == b"meta":
            _read_user_data(window, tables, start, min(stop, end), kind)
        elif kind == b"cmov":
            _read_compressed(window, tables, start, min(stop, end))
        is_fragmented |= kind == b"mvex"
    _note_tracks(tables, tracks, scale, is_fragmented=is_fragmented)


def _note_tracks(tables: Tables, tracks: list[_Track], movie_scale: int, *, is_fragmented: bool) -> None:
    chapter_tracks = {number for track in tracks for number in track.chapter_tracks}
    for track in tracks:
        if track.number in chapter_tracks:  # FFmpeg reads each of their samples when it opens the file
            tables.add("chapters", track.samples)
        elif track.is_video:
            _note_video(tables, track, movie_scale)
            ratio = track.timescale / movie_scale if movie_scale else 0.0
            clause = against_edits(track.edits, track.times.last, ticks_ratio=ratio, is_fragmented=is_fragmented)
            tables.edited = tables.edited or clause


def _read_compressed(window: Window, tables: Tables, body: int, end: int) -> None:
    for kind, start, stop in _boxes(window, body, end):
        if kind != b"cmvd":
            continue
        tables.note("bytes in an index", window.u32(start))
        if window.u32(start) > _MAX_COMPRESSED_INDEX:
            tables.note("bytes in an index", MAX_INDEX_BYTES + window.u32(start))
            return
        try:
            index = zlib.decompressobj().decompress(window.read(start + 4, stop - start - 4), _MAX_COMPRESSED_INDEX)
        except zlib.error:
            return
        read_mp4_tables(Window(index), tables)


def _read_track(window: Window, tables: Tables, body: int, end: int) -> _Track:
    track = _Track()
    _walk_track(window, tables, track, (body, end), depth=0)
    tables.note("entries in an edit list", track.edit_count)
    return track


def _note_video(tables: Tables, track: _Track, movie_scale: int) -> None:
    tables.add("samples in its video tracks", track.samples)
    if track.media_ticks and movie_scale and track.timescale:
        shown = track.edited_ticks * track.timescale / movie_scale / track.media_ticks
        tables.note("frames shown by an edit list", round(shown * track.samples))


def _walk_track(window: Window, tables: Tables, track: _Track, span: tuple[int, int], *, depth: int) -> None:
    for kind, start, end in _boxes(window, *span):
        stop = min(end, span[1])
        if kind in _FOLDERS and depth < _MAX_DEPTH:
            _walk_track(window, tables, track, (start, stop), depth=depth + 1)
        elif kind in _LISTS:
            tables.note("bytes in an index", stop - start)
            _read_list(window, track, kind, start, stop)
        else:
            _read_leaf(window, tables, track, (kind, start, stop))


def _read_leaf(window: Window, tables: Tables, track: _Track, box: Part) -> None:
    kind, start, stop = box
    if kind == b"tkhd":
        track.number = window.u32(start + (20 if window.read(start, 1) == b"\1" else 12))
    elif kind == b"chap":
        track.chapter_tracks += [window.u32(at) for at in range(start, min(stop, start + 4 * MAX_TRACKS), 4)]
    elif kind == b"hdlr":
        track.is_video |= window.read(start + 8, 4) == b"vide"
    elif kind == b"mdhd":
        is_long = window.read(start, 1) == b"\1"
        track.timescale = window.u32(start + (20 if is_long else 12))
        track.media_ticks = int.from_bytes(window.read(start + (24 if is_long else 16), 8 if is_long else 4), "big")
    elif kind == b"elst":
        _read_edits(window, track, start, stop)
    elif kind == b"stsd":
        _read_descriptions(window, tables, start, stop)
    elif kind == b"meta":
        _read_user_data(window, tables, start, stop, kind)


def _read_edits(window: Window, track: _Track, start: int, stop: int) -> None:
    count = window.u32(start + 4)
    track.edit_count += count
    if count > MAX_EDITS:
        return
    is_long = window.read(start, 1) == b"\1"
    size, width = (20, 8) if is_long else (12, 4)
    for at in range(start + 8, min(start + 8 + count * size, stop), size):
        entry = window.read(at, size)
        media_time = int.from_bytes(entry[width : 2 * width], "big", signed=True)
        is_steady = entry[2 * width :] == _NORMAL_SPEED
        track.edits.append(Edit(int.from_bytes(entry[:width], "big"), media_time, is_steady))


def _read_list(window: Window, track: _Track, kind: bytes, start: int, stop: int) -> None:
    if kind in (b"stsz", b"stz2"):
        track.samples = max(track.samples, window.u32(start + 8))
    elif kind in (b"stts", b"ctts"):
        size = min(window.u32(start + 4) * 8, stop - start - 8, MAX_INDEX_BYTES)
        runs = _numbers(window.read(start + 8, size))
        track.samples = max(track.samples, sum(islice(runs, 0, None, 2)))
        take = track.times.take_lengths if kind == b"stts" else track.times.take_offsets
        take(runs)


def _numbers(data: bytes) -> "array[int]":
    numbers = array("I", data[: len(data) // 8 * 8])
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _read_descriptions(window: Window, tables: Tables, start: int, stop: int) -> None:
    for kind, body, end in _boxes(window, start + 8, stop):
        if kind in _ENCRYPTED:
            scheme = _scheme(window, body, min(end, stop))
            tables.encryption = f"by Common Encryption ({scheme})" if kind == b"encv" else "by Apple FairPlay"


def _scheme(window: Window, body: int, end: int) -> str:
    entry = window.read(body, min(end - body, 4096))
    at = entry.find(b"schm")
    return entry[at + 8 : at + 12].decode("ascii", "replace") if at >= 0 else "scheme not named"


def _read_user_data(window: Window, tables: Tables, body: int, end: int, parent: bytes) -> None:
    if parent == b"meta" and window.read(body + 4, 4) != b"hdlr":  # ISO's has a version in front, QuickTime's has not
        body += 4
    for kind, start, stop in _boxes(window, body, end):
        if kind == b"chpl":
            tables.add("chapters", window.read(start + 8, 1)[0] if window.read(start + 8, 1) else 0)
        elif kind == b"keys":
            tables.add("tags", window.u32(start + 4))
        elif kind in (b"meta", b"ilst"):
            _read_user_data(window, tables, start, min(stop, end), kind)
        else:
            tables.add("tags")


def _read_fragment(window: Window, tables: Tables, body: int, end: int) -> None:
    for kind, start, stop in _boxes(window, body, end):
        if kind != b"traf":
            continue
        for inner, at, _ in _boxes(window, start, min(stop, end)):
            if inner == b"trun" and window.u32(at + 4) > MAX_SAMPLES // 10:
                # Runs without fields of their own list millions of frames in a few bytes.
                tables.note("samples in its video tracks", MAX_SAMPLES + window.u32(at + 4))
            elif inner == b"trun":
                tables.add("samples in fragments", window.u32(at + 4))
    tables.note("samples in its video tracks", tables.counts.get("samples in fragments", 0))
