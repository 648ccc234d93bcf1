"""The tables of a Matroska or WebM file, whether its video is encrypted, and whether the file ends too early."""

from .tables import MAX_LATE_CUES, Parts, Tables, TooManySteps, Window

_SEGMENT, _SEEK_HEAD, _SEEK, _SEEK_POSITION = "18538067", "114d9b74", "4dbb", "53ac"
_TRACKS, _TRACK, _TRACK_TYPE = "1654ae6b", "ae", "83"
_ENCODINGS, _ENCODING, _ENCRYPTION = "6d80", "6240", "5035"
_CHAPTERS, _EDITION, _CHAPTER = "1043a770", "45b9", "b6"
_ATTACHMENTS, _ATTACHMENT = "1941a469", "61a7"
_TAGS, _TAG, _TEXT = "1254c367", "7373", "67c8"
_CUES, _CLUSTER = "1c53bb6b", "1f43b675"
_COUNTED = {
    _CHAPTERS: (_CHAPTER, "chapters", {_EDITION, _CHAPTER}),
    _ATTACHMENTS: (_ATTACHMENT, "attachments", set[str]()),
    _TAGS: (_TEXT, "tags", {_TAG, _TEXT}),
}
_CUE_TIME = 0xB3
_MAX_CUE_BYTES = 32 << 20
_VIDEO = 1
_MAX_DEPTH = 8
_MAX_CLUSTERS = 20_000


def read_matroska_tables(window: Window, tables: Tables) -> None:
    """Note what the file lists."""
    try:
        for kind, body, end in _elements(window, 0, window.size):
            if kind.hex() == _SEGMENT:
                _read_segment(window, tables, body, end)
                return
    except TooManySteps:
        return


def _elements(window: Window, at: int, end: int) -> Parts:
    while at < end:
        window.step()
        head = window.read(at, min(12, end - at))
        if not head or not head[0]:
            return
        id_size = 9 - head[0].bit_length()
        if id_size > 4 or len(head) <= id_size or not head[id_size]:
            return
        length_size = 9 - head[id_size].bit_length()
        raw = head[id_size : id_size + length_size]
        size = int.from_bytes(raw, "big") & (1 << 7 * length_size) - 1
        body = at + id_size + length_size
        is_open = size == (1 << 7 * length_size) - 1  # unknown: reaches to the end of its parent
        yield head[:id_size], body, end if is_open else body + size
        at = end if is_open else body + size


def _read_segment(window: Window, tables: Tables, body: int, end: int) -> None:
    if end > window.size:
        tables.cut = f"its segment should end at byte {end}, the file ends at byte {window.size}"
    seen, found = set[int](), list[int]()
    clusters = 0
    for kind, start, stop in _elements(window, body, min(end, window.size)):
        seen.add(start)
        _read_element(window, tables, (kind.hex(), start, min(stop, window.size)), found)
        clusters += kind.hex() == _CLUSTER
        if clusters > _MAX_CLUSTERS or tables.excess():
            break
    for at in found[:64]:  # behind a hole, or behind more clusters than are walked
        part = next(_elements(window, body + at, window.size), None)
        if part is not None and part[1] not in seen:
            seen.add(part[1])
            _read_element(window, tables, (part[0].hex(), part[1], min(part[2], window.size)), found)


def _read_element(window: Window, tables: Tables, element: tuple[str, int, int], found: list[int]) -> None:
    kind, start, stop = element
    if kind == _SEEK_HEAD:
        found += _seek_positions(window, start, stop)
    elif kind == _TRACKS:
        for track, body, end in _elements(window, start, stop):
            if track.hex() == _TRACK:
                tables.add("tracks")
                _read_track(window, tables, body, end)
    elif kind == _CUES:
        tables.note("bytes in an index", stop - start)
        tables.note("index entries out of order", _late_cues(window.read(start, min(stop - start, _MAX_CUE_BYTES))))
    elif kind in _COUNTED:
        wanted, what, folders = _COUNTED[kind]
        _count(window, tables, (start, stop), (wanted, what), folders)


def _late_cues(data: bytes) -> int:
    """Count the entries that lie before one that comes earlier; stops when there are too many."""
    latest = late = at = 0
    while at < len(data) and late <= MAX_LATE_CUES:
        body, end = _span(data, at)
        while body < end:
            start, stop = _span(data, body)
            if data[body] == _CUE_TIME:
                time = int.from_bytes(data[start:stop], "big")
                late += time < latest
                latest = max(latest, time)
                break
            body = stop
        at = end
    return late


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Return where the body of an element with an id of one byte begins and ends; never where it began."""
    first = data[at + 1] if at + 1 < len(data) else 0
    if not first:
        return len(data), len(data)
    size = 9 - first.bit_length()
    body = at + 1 + size
    return body, min(len(data), body + (int.from_bytes(data[at + 1 : body], "big") & (1 << 7 * size) - 1))


def _seek_positions(window: Window, start: int, stop: int) -> list[int]:
    return [
        int.from_bytes(window.read(at, to - at), "big")
        for _, body, end in _elements(window, start, stop)
        for kind, at, to in _elements(window, body, end)
        if kind.hex() == _SEEK_POSITION
    ]


def _read_track(window: Window, tables: Tables, start: int, stop: int) -> None:
    is_video = is_encrypted = False
    for kind, body, end in _elements(window, start, stop):
        if kind.hex() == _TRACK_TYPE:
            is_video = int.from_bytes(window.read(body, end - body), "big") == _VIDEO
        elif kind.hex() == _ENCODINGS:
            for _, at, to in _elements(window, body, end):
                is_encrypted |= any(part[0].hex() == _ENCRYPTION for part in _elements(window, at, to))
    if is_video and is_encrypted:
        tables.encryption = "by Matroska's content encryption"


def _count(
    window: Window, tables: Tables, span: tuple[int, int], wanted: tuple[str, str], folders: set[str], depth: int = 0
) -> None:
    for kind, body, end in _elements(window, *span):
        name = kind.hex()
        if name == wanted[0]:
            tables.add(wanted[1])
            if tables.excess():
                return
        if name in folders and depth < _MAX_DEPTH:
            _count(window, tables, (body, end), wanted, folders, depth + 1)
