"""Fixtures of the stability tests: one zygote for all rows, as a runner has one for all jobs; the printed matrix."""

import inspect
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio

from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.wall_rules import WallRules
from tests.stability.report import Line, table
from tests.stability.witness import MARK_NAME
from tests.stability.workbench import FRAMES, PLUGINS, Workbench
from tests.support import make_clip
from tests.support.leased_homes import leased

LINES: dict[str, list[Line]] = {}
FILES_NAME = "STABILITY_FILES"
NAME_IN_PRODUCT = "forgesyte-in-product"
"""Sandboxes of a running product get no variable of ours, so their faults use this name."""


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("stability") / "clip.mp4", frames=FRAMES)


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stability") / "picture.png"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 160, 120, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((120, 160, 3), 99, np.uint8), format="rgb24")))
    return path


@pytest.fixture(scope="session")
def mark() -> str:
    """A random word that every process of this session's sandboxes carries."""
    return secrets.token_hex(12)


@pytest.fixture(scope="session")
def degraded_mark() -> str:
    """Another one: a zygote that lives beside is no survivor."""
    return secrets.token_hex(12)


@pytest.fixture(scope="session")
def stray_files(mark: str) -> Iterator[str]:
    """The name under which faults leave files outside their scratch; they are taken away at the end."""
    name = f"forgesyte-stability-{mark}"
    yield name
    for folder in ("/tmp", "/dev/shm"):
        for name_ in (name, NAME_IN_PRODUCT):
            for left in Path(folder).glob(f"{name_}*"):
                left.unlink(missing_ok=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def zygote(mark: str, stray_files: str) -> AsyncIterator[Zygote]:
    async with started(mark, stray_files, WallRules()) as zygote:
        yield zygote


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def degraded_zygote(degraded_mark: str, stray_files: str) -> AsyncIterator[Zygote]:
    """The system-call filter alone, as an operator may allow it where the kernel has no more."""
    rules = WallRules(landlock_abi=0, uids=None, is_required=False)
    async with started(degraded_mark, stray_files, rules) as zygote:
        assert zygote.policy.word == "degraded"
        yield zygote


@asynccontextmanager
async def started(mark: str, stray_files: str, wall: WallRules) -> AsyncIterator[Zygote]:
    path = os.pathsep.join(filter(None, (str(PLUGINS), os.environ.get("PYTHONPATH"))))
    env = {"PYTHONPATH": path, MARK_NAME: mark, FILES_NAME: stray_files}
    async with Zygote.start(env=env, wall=wall) as zygote:
        # Two runs at once are the most that a row needs; what their homes hold open is held from now on.
        async with leased(zygote.homes), leased(zygote.homes):
            pass
        yield zygote


@pytest.fixture
def workbench(zygote: Zygote, mark: str, clip: Path, tmp_path: Path) -> Workbench:
    return Workbench(zygote, mark, clip, tmp_path)


@pytest.fixture
def degraded_workbench(degraded_zygote: Zygote, degraded_mark: str, clip: Path, tmp_path: Path) -> Workbench:
    return Workbench(degraded_zygote, degraded_mark, clip, tmp_path)


@pytest.fixture(scope="session")
def matrix() -> dict[str, list[Line]]:
    """Tables by title; printed when all tests have run."""
    return LINES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that use the shared zygote on the loop it lives on."""
    here = Path(__file__).parent
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "function", None))
        if item.path.is_relative_to(here) and is_async:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, lines in LINES.items():
        terminalreporter.section(title)
        for text in table(lines):
            terminalreporter.write_line(text)
