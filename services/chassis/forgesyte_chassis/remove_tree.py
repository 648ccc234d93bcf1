"""Removes a folder whatever plugin code has left in it; the processes that wrote there are dead.

shutil.rmtree alone raises RecursionError at a thousand nested folders and gives up at one without permissions.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Remove a folder and everything in it, without following a link; what cannot be removed stays."""
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    with suppress(OSError):
        _flatten(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _flatten(folder: Path) -> None:
    """Remove the folders in a folder; what is nested in them moves up, one level in each round."""
    numbers = count()
    while inner := list(_folders(folder)):
        for each in inner:
            for deeper in _folders(each):
                deeper.rename(folder / f".moved-up-{os.getpid()}-{next(numbers)}")
            shutil.rmtree(each)


def _folders(folder: Path) -> Iterator[Path]:
    folder.chmod(0o700)
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            inner = Path(entry.path)
            inner.chmod(0o700)  # moving a folder changes its entry `..`
            yield inner
