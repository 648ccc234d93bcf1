"""Clips for ordinary plugins, and what each of them gave behind the wall and without it."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.escapes.running import Half, half_of, started
from tests.support import make_clip
from tests.wall.clips import CARS, FIRST_CAR, FRAMES, cut
from tests.wall.jobs import MODEL

SHORT = 2
SHARED_MODEL = Path(__file__).parents[3] / "shared" / "models" / MODEL
BY_USER = {"root": ("off", "own", "4", "1", "0"), "user": ("off", "7", "4")}
"""Each user's configurations. Signals of an ordinary user at 4 are the referee's, at 7 Landlock's."""

Tables = Callable[[str], dict[str, Half]]


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
    """Return what gives both users' rows of a plugin, in all configurations; each plugin runs once."""

    @cache
    def of(plugin: str) -> dict[str, Half]:
        also = (SHARED_MODEL,) if plugin == "nanodet" else ()
        with ExitStack() as held:
            workers = {
                user: held.enter_context(
                    started(
                        user, "tests.wall.worker", clip, plugin, *configurations, is_open=user == "user", also=also
                    )
                )
                for user, configurations in BY_USER.items()
            }  # fmt: skip
            return {user: half_of(worker) for user, worker in workers.items()}

    return of


@pytest.fixture(scope="session")
def default_half(short_clip: Path) -> Half:
    """What plugins without heavy packages give, without the wall and with all of it, under the uid of this run."""
    user = "root" if os.geteuid() == 0 else "user"
    plugins = "motion-detector,libraries,helpers"
    with started(user, "tests.wall.worker", short_clip, plugins, "off", "own", is_open=False) as worker:
        return half_of(worker)
