"""The children's log files: rotated at a start, quoted in error messages, followed for `-v`."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

ROTATE_BYTES = 8 * 1024 * 1024
"""A log that is larger than this when its child is first started is renamed to `<name>.log.1`."""

_TAIL_BYTES = 16 * 1024
_POLL_EVERY_S = 0.2


def rotate(file: Path, *, limit_bytes: int = ROTATE_BYTES) -> None:
    """Start a new log if the old one is over the limit; one old log is kept."""
    if file.exists() and file.stat().st_size > limit_bytes:
        file.replace(file.with_name(f"{file.name}.1"))


def last_lines(file: Path, *, count: int = 15, after_byte: int = 0) -> list[str]:
    """Return the last lines of a log after `after_byte`, at most 16 KiB; none when there is no log."""
    try:
        with file.open("rb") as handle:
            size_bytes = handle.seek(0, os.SEEK_END)
            handle.seek(max(after_byte, size_bytes - _TAIL_BYTES))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-count:]


async def follow(file: Path, show: Callable[[str], None]) -> None:
    """Show each line that is written to `file` from now on, until cancelled.

    The child writes to the file and not to a pipe, so a blocked terminal never blocks the child.
    """
    position = size_of(file)
    rest = ""
    while True:
        written = _read_on(file, position)
        position += len(written)
        *lines, rest = (rest + written.decode(errors="replace")).split("\n")
        for line in lines:
            show(line)
        await asyncio.sleep(_POLL_EVERY_S)


def size_of(file: Path) -> int:
    """Return a log's size in bytes; 0 when there is no log."""
    return file.stat().st_size if file.exists() else 0


def _read_on(file: Path, position: int) -> bytes:
    if size_of(file) <= position:
        return b""
    with file.open("rb") as handle:
        handle.seek(position)
        return handle.read(_TAIL_BYTES)
