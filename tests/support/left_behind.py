"""Shows a test what a run left in its scratch folder, which is emptied before the run returns."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import pytest

from forgesyte_sandbox.parent.homes.homes import Home, Homes
from forgesyte_sandbox.parent.warm_sandbox import WarmSandbox

_folder: ContextVar[Path | None] = ContextVar("left_behind", default=None)
_begin_return, _forget_job = Homes.begin_return, WarmSandbox.forget_job


@contextmanager
def left_in(folder: Path) -> Iterator[None]:
    """Have plain files that the runs of the block leave in scratch copied to `folder`."""
    # For good: runs overlap, and those that no block asks for are as they were.
    patch = pytest.MonkeyPatch()
    patch.setattr(Homes, "begin_return", _copy_and_return)
    patch.setattr(WarmSandbox, "forget_job", _copy_and_forget)
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def _copy_and_return(homes: Homes, home: Home) -> "asyncio.Future[None]":
    _copy(home)
    return _begin_return(homes, home)


def _copy_and_forget(warm: WarmSandbox) -> None:
    _copy(warm.home)
    _forget_job(warm)


def _copy(home: Home) -> None:
    if (folder := _folder.get()) is not None:
        # A warm sandbox has folders for load and job in its scratch folder.
        for file in (*home.scratch.glob("*"), *home.scratch.glob("*/*")):
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, folder / file.name)
