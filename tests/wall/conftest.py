"""Clips for ordinary plugins, and what each of them gave behind the wall and without it."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.escapes.running import Half, half_of, started
from tests.support import make_clip
from tests.wall.clips import CARS, FIRST_CAR, FRAMES, cut
from tests.wall.jobs import MODEL

WORKER = "tests.wall.worker"
SHORT = 2
SHARED_MODEL = Path(__file__).parents[3] / "shared" / "models" / MODEL


@dataclass(frozen=True)
class Run:
    """One process in which plugins run at several heights of the wall, and without it.

    Attributes:
        user: `root`, or `user`, an ordinary one.
        configurations: as in jobs.rules; `off` is what the others are compared with.
        is_open: whether interpreter and checkout are made reachable for every user, if they are not.
    """

    user: str
    configurations: tuple[str, ...]
    is_open: bool = True


RUNS = (
    Run("root", ("own", "4", "1"), is_open=False),
    Run("root", ("0",)),
    Run("user", ("7", "4")),
)
"""Without Landlock, root's sandboxes need an interpreter that others reach. Signals of an ordinary user's are the
referee's at 4, and Landlock's at 7."""

Tables = Callable[[Run, str], Half]


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made clip of two frames."""
    return make_clip(tmp_path_factory.mktemp("wall") / "short.mp4", frames=SHORT)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few frames of the real video, where it is, or of a made one."""
    path = tmp_path_factory.mktemp("wall") / "clip.mp4"
    return cut(CARS, path, first=FIRST_CAR, frames=FRAMES) if CARS.exists() else make_clip(path, frames=FRAMES)


@pytest.fixture(scope="session")
def tables(clip: Path) -> Tables:
    """Return what gives a plugin's rows in a run's configurations; each plugin runs once, in all runs at a time."""

    @cache
    def all_of(plugin: str) -> dict[Run, Half]:
        also = (SHARED_MODEL,) if plugin == "nanodet" else ()
        with ExitStack() as held:
            workers = {
                run: held.enter_context(
                    started(run.user, WORKER, clip, plugin, "off", *run.configurations, is_open=run.is_open, also=also)
                )
                for run in RUNS
            }
            return {run: half_of(worker) for run, worker in workers.items()}

    return lambda run, plugin: all_of(plugin)[run]


@pytest.fixture(scope="session")
def default_half(short_clip: Path) -> Half:
    """What plugins without heavy packages give, without the wall and with all of it, under the uid of this run."""
    user = "root" if os.geteuid() == 0 else "user"
    plugins = "motion-detector,libraries,helpers"
    with started(user, WORKER, short_clip, plugins, "off", "own", is_open=False) as worker:
        return half_of(worker)
