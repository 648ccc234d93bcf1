"""Carries the files of an order into a sandbox's home, and what the run made out of it.

The caller's folder stays out of the child's reach: the child sees a second name of the same file, in a folder that it
may only read, or a copy where the child's uid may not read the file; the caller's file is never changed. What comes out
is looked at first, because the child may have put anything in its place.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from forgesyte_sandbox.shared.specs import Spec

from .homes import Home

_COPY_BYTES = 1 << 20
_FOR_OTHERS = 0o604


class NothingLeft(Exception):
    """A program that says it went well has not left the file that it should."""


async def bring_in[S: Spec](spec: S, home: Home) -> S:
    """Link the files that a spec names into the home's inbox and return the spec with their new paths.

    A file that is not there is left to the program, which says so.

    Raises:
        OSError: a file can be neither linked nor copied.
    """
    return await _to_its_end(_link_all, spec, home)


async def take_out(spec: Spec, home: Home, folder: Path) -> None:
    """Move what the spec says the program leaves into the caller's folder; every process of the home is dead.

    Only a regular file with one name is taken: never what a link planted by the child leads to.

    Raises:
        NothingLeft: there is no such file.
        OSError: it cannot be moved.
    """
    for field in spec.OUTPUTS:
        name = Path(getattr(spec, field)).name
        await _to_its_end(_take, name, home.scratch, folder / name)


async def _to_its_end[*A, T](work: Callable[[*A], T], *args: *A) -> T:
    """Run `work` in a thread; a cancelled caller waits for its end too: the home is another run's a moment later."""
    future = asyncio.get_running_loop().run_in_executor(None, work, *args)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise


def _link_all[S: Spec](spec: S, home: Home) -> S:
    return replace(spec, **{field: str(_link(Path(getattr(spec, field)), home)) for field in spec.FILES})


def _link(file: Path, home: Home) -> Path:
    target = home.inbox / file.name
    if os.path.lexists(target):
        target = home.inbox / f"{len([*home.inbox.iterdir()])}-{file.name}"
    file = file.resolve()
    try:
        if home.uid is None or file.stat().st_mode & stat.S_IROTH:
            os.link(file, target)
            return target
    except FileNotFoundError:
        return target
    except OSError:  # another file system, a file of another owner, a file system without links
        pass
    _copy(file, target)
    if home.uid is not None:
        target.chmod(_FOR_OTHERS)
    return target


def _take(name: str, scratch: Path, target: Path) -> None:
    with ExitStack() as held:
        folder_fd = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        held.callback(os.close, folder_fd)
        try:
            file_fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder_fd)
        except OSError as error:
            raise NothingLeft(f"the sandbox left no plain file {name!r}: {error}") from None
        held.callback(os.close, file_fd)
        facts = os.fstat(file_fd)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise NothingLeft(f"the sandbox left no plain file {name!r}")
        if facts.st_uid != os.geteuid():
            os.fchown(file_fd, os.geteuid(), os.getegid())
        os.fchmod(file_fd, 0o600)
        try:
            os.rename(name, target, src_dir_fd=folder_fd)
        except OSError:  # another file system
            with target.open("xb") as copy:
                _copy_range(file_fd, copy.fileno(), 0, facts.st_size)


def _copy(file: Path, target: Path) -> None:
    """Copy a file with its holes: the two kept ends of an upload of many gigabytes are a file of that size."""
    with file.open("rb") as source, target.open("xb") as copy:
        size, at = os.fstat(source.fileno()).st_size, 0
        os.truncate(copy.fileno(), size)
        while (begin := _next_data(source.fileno(), at, size)) < size:
            at = os.lseek(source.fileno(), begin, os.SEEK_HOLE)
            _copy_range(source.fileno(), copy.fileno(), begin, at)


def _next_data(file_fd: int, at: int, size: int) -> int:
    try:
        return os.lseek(file_fd, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:  # only a hole is left
            raise
        return size


def _copy_range(source_fd: int, copy_fd: int, begin: int, end: int) -> None:
    while begin < end:
        part = os.pread(source_fd, min(_COPY_BYTES, end - begin), begin)
        if not part:
            return
        os.pwrite(copy_fd, part, begin)
        begin += len(part)
