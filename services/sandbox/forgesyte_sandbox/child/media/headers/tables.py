"""What a container's tables hold, and how much of it is accepted: read before the file is opened.

A demuxer expands tables into memory and works through them at every step, so a few megabytes of edit list keep it busy
for minutes. Each limit is far above what recorders and editors write. What these readers do not reach within their
bounds, or finds damaged, is left to the demuxer and to the limits on time and memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from forgesyte_sandbox.child.media.sparse_file import SparseFile

MAX_TRACKS = 256
"""Tracks of any kind in one file."""
MAX_SAMPLES = 10_000_000
"""Frames of all video tracks: 92 hours at 30 frames per second."""
MAX_EDITS = 1024
"""Entries in the edit list of one track."""
MAX_EDITED_SAMPLES = 10_000_000
"""Frames that the edit list of a track shows, those counted twice that it shows twice."""
MAX_CHAPTERS = 5000
"""Chapters of one file."""
MAX_ATTACHMENTS = 500
"""Files attached to a Matroska file, such as fonts."""
MAX_TAGS = 4096
"""Texts about a file and its tracks."""
MAX_PROGRAMS = 256
"""Programs of a transport stream."""
MAX_INDEX_PARTS = 4096
"""Parts of the index of one AVI stream."""
MAX_INDEX_BYTES = 256 << 20
"""Bytes of one index: of a table of an MP4, the cues of a Matroska file, the index of an AVI."""
MAX_LATE_CUES = 1000
"""Entries of a Matroska index that lie before an earlier entry: each makes the demuxer move all that follow."""
MAX_SCRIPT_BYTES = 1 << 20
"""Bytes of the script data at the start of an FLV file, which holds its index."""
MAX_STEPS = 100_000
"""Boxes, elements or chunks that are looked at in one file."""

_WINDOW_BYTES = 64 << 10


@dataclass(slots=True)
class Tables:
    """What was found in a file.

    Attributes:
        counts: the largest number of each kind of thing, by its plural noun.
        encryption: how the video is encrypted, in a clause; None when it is not.
        edited: what an MP4's edit lists do on which players differ, in a clause; None when they do nothing of the kind.
        cut: what shows that the file ends too early, in a clause; None when nothing does.
    """

    counts: dict[str, int] = field(default_factory=dict)
    encryption: str | None = None
    edited: str | None = None
    cut: str | None = None

    def note(self, what: str, count: int) -> None:
        """Note how many of something there are; the largest number counts."""
        self.counts[what] = max(count, self.counts.get(what, 0))

    def add(self, what: str, count: int = 1) -> int:
        """Add to how many of something there are; return how many that makes."""
        self.counts[what] = self.counts.get(what, 0) + count
        return self.counts[what]

    def excess(self) -> str | None:
        """Say what exceeds its limit, with both numbers; None when nothing does."""
        for what, most in LIMITS.items():
            if (found := self.counts.get(what, 0)) > most:
                return f"the file has {found} {what}, at most {most} are accepted"
        return None


LIMITS = {
    "tracks": MAX_TRACKS,
    "samples in its video tracks": MAX_SAMPLES,
    "entries in an edit list": MAX_EDITS,
    "frames shown by an edit list": MAX_EDITED_SAMPLES,
    "chapters": MAX_CHAPTERS,
    "attachments": MAX_ATTACHMENTS,
    "tags": MAX_TAGS,
    "programs": MAX_PROGRAMS,
    "parts of an index": MAX_INDEX_PARTS,
    "bytes in an index": MAX_INDEX_BYTES,
    "index entries out of order": MAX_LATE_CUES,
    "bytes of script data": MAX_SCRIPT_BYTES,
}
"""What is counted, in the words of the refusal, and how many are accepted."""


class TooManySteps(Exception):
    """The bound on boxes is reached; what was found until then counts."""


class Window:
    """Reads small pieces of a file through a window, and never what lies in a hole of it.

    Attributes:
        size: bytes of the file.
    """

    def __init__(self, file: SparseFile | bytes) -> None:
        self._file = file
        self.size = len(file) if isinstance(file, bytes) else file.size
        self._at = self._steps = 0
        self._data = b""

    def read(self, at: int, size: int) -> bytes:
        """Return `size` bytes from `at`, fewer at the end of the file; b"" when part of them was not kept."""
        if isinstance(self._file, bytes):
            return self._file[at : at + size]
        if at < 0 or at >= self.size or not self._file.holds(at, size):
            return b""
        if size > _WINDOW_BYTES:
            return self._file.at(at, size)
        if not self._at <= at <= at + size <= self._at + len(self._data):
            self._at, self._data = at, self._file.at(at, _WINDOW_BYTES)
        return self._data[at - self._at :][:size]

    def step(self) -> None:
        """Count one more box.

        Raises:
            TooManySteps: there were MAX_STEPS of them.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooManySteps

    def u32(self, at: int, *, is_little: bool = False) -> int:
        """Return a number of 4 bytes; 0 where there is none."""
        return int.from_bytes(self.read(at, 4), "little" if is_little else "big")


Part = tuple[bytes, int, int]
"""A box, element or chunk: its kind, where its body begins, where it ends."""
Parts = Iterator[Part]
