"""Fixtures of the escape attempts: both users' tables, made once; printed when all tests have run."""

from contextlib import ExitStack
from pathlib import Path

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
    """Run both users side by side; keep their tables for the end, and in a file."""
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
        found = {user: half_of(worker) for user, worker in workers.items()}
    for user, half in found.items():
        text = report.table(user, half.tables) if half.tables else [half.cannot]
        TEXTS[f"attempts to escape, as {user}, {title}"] = text
        (folders.getbasetemp() / f"escapes-{user}-{'-'.join(configurations)}.txt").write_text("\n".join(text))
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, lines in TEXTS.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
