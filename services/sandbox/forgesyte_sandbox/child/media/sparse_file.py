"""A file of which only parts were kept, readable as if it were whole: it notices when a hole is read.

Of a large upload job-api keeps both ends and leaves a hole between them, which reads as zeros. What a demuxer concludes
from zeros is worth nothing, and only the reader can tell whether it saw any.
"""

import io
import mmap
import os
from collections.abc import Sequence
from pathlib import Path

_AVSEEK_SIZE = 0x10000


class SparseFile:
    """Read-only; the methods are those that PyAV expects of a file object.

    Attributes:
        size: bytes of the whole file.
        saw_hole: whether bytes that were not kept have been read.
    """

    name = ""  # PyAV passes it to the demuxers, and the kind must come from the content

    def __init__(self, path: Path, *, holes: Sequence[Sequence[int]] = (), size: int | None = None) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size if size is None else size
        self._holes = [(start, min(end, self.size)) for start, end in holes if start < min(end, self.size)]
        self._at = 0
        self.saw_hole = False

    @property
    def has_holes(self) -> bool:
        """Whether anything is missing."""
        return bool(self._holes)

    @property
    def is_at_hole(self) -> bool:
        """Whether the next byte read would be one that was not kept."""
        return any(start <= self._at < end for start, end in self._holes)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; b"" at the end."""
        size = max(0, min(size, self.size - self._at))
        # Stops before a hole: readers ask for whole blocks, and bytes that they do not need must not count as seen.
        for start, _ in self._holes:
            if self._at < start < self._at + size:
                size = start - self._at
        if size and self.is_at_hole:
            self.saw_hole = True
        data = os.pread(self._file.fileno(), size, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; return the new position, or the size when FFmpeg asks for that.

        Raises:
            ValueError: an unknown `whence` or a position before the beginning.
        """
        if whence & _AVSEEK_SIZE:
            return self.size
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}.get(whence & 0xFF)
        if start is None or start + offset < 0:
            raise ValueError(f"expected a position inside the file, found offset {offset} of {whence}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._at

    def at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset`, leaving the position as it is."""
        before, self._at = self._at, offset
        try:
            return self.read(size)
        finally:
            self._at = before

    def holds(self, offset: int, size: int) -> bool:
        """Tell whether all of `size` bytes from `offset`, as far as the file reaches, were kept."""
        return not any(start < offset + size and offset < end for start, end in self._holes)

    def mapped(self) -> mmap.mmap:
        """Map the whole file, with zeros in the holes; what is read there is not noticed.

        Raises:
            ValueError: the file is empty.
        """
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
