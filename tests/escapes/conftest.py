"""Fixtures of the escape attempts: both users' tables, made once; printed when all tests have run."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from tests.escapes import report
from tests.escapes.running import Half, half_of, started
from tests.support import make_clip

USERS = ("root", "user")
FRAMES = 24
TEXTS: dict[str, list[str]] = {}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of a few frames, so small that an attempt costs more than its frame."""
    return make_clip(tmp_path_factory.mktemp("escapes") / "clip.mp4", frames=FRAMES, size_wh=(64, 48))


@pytest.fixture(scope="session")
def halves(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Half]:
    """Both users' tables without the wall, and with all that this kernel has; root's at the paths as they are."""
    return run("with all that this kernel has", clip, tmp_path_factory, "own")


@pytest.fixture(scope="session")
def all_halves(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Half]:
    """Both users' tables without the wall, and at three versions of Landlock."""
    return run("at three versions of Landlock", clip, tmp_path_factory, "0", "4", "7")


def run(title: str, clip: Path, folders: pytest.TempPathFactory, *configurations: str) -> dict[str, Half]:
    """Run both users side by side, once for all workers of pytest; keep their tables for the end, and in a file.

    Never two of these at a time: without the wall root's signal to all reaches the processes of the other one too.
    """
    shared = folders.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    results = shared / f"escapes-{'-'.join(configurations)}.json"
    with (shared / "escapes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not results.exists():
            results.write_bytes(orjson.dumps(run_both(clip, *configurations)))
    found = {user: Half(**half) for user, half in orjson.loads(results.read_bytes()).items()}
    for user, half in found.items():
        text = report.table(user, half.tables) if half.tables else [half.cannot]
        TEXTS[f"attempts to escape, as {user}, {title}"] = text
        (shared / f"escapes-{user}-{'-'.join(configurations)}.txt").write_text("\n".join(text))
    return found


def run_both(clip: Path, *configurations: str) -> dict[str, Half]:
    with ExitStack() as held:
        workers = {
            user: held.enter_context(
                started(
                    user, "tests.escapes.worker", clip, "off", *configurations,
                    is_open=user == "user" or "own" not in configurations,
                )
            )
            for user in USERS
        }  # fmt: skip
        return {user: half_of(worker) for user, worker in workers.items()}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, lines in TEXTS.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
