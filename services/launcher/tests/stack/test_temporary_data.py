import os
from pathlib import Path

import pytest

from forgesyte_chassis.owned_folder import open_lock, try_lock
from forgesyte_launcher.stack.data_folder import open_folder
from forgesyte_launcher.stack.temporary_data import PREFIX, sweep, temporary_data


@pytest.fixture
def parent(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def a_leftover(parent: Path, name: str) -> Path:
    """A data folder as a killed command leaves it: with a lock file that no process holds."""
    folder = parent / f"{PREFIX}{name}"
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "lock").write_text("4711")
    (folder / "store").mkdir()
    (folder / "store" / "input").write_bytes(b"x" * 1000)
    return folder


def test_the_folder_of_a_killed_command_is_removed(parent):
    killed, without_lock = a_leftover(parent, "killed"), parent / f"{PREFIX}no-lock"
    without_lock.mkdir()

    removed = sweep(parent, young_s=0)

    assert removed == [killed, without_lock]
    assert list(parent.iterdir()) == []


async def test_the_folder_of_a_living_command_is_left_alone(parent):
    living = parent / f"{PREFIX}living"

    async with open_folder(living):
        removed = sweep(parent, young_s=0)

    assert removed == []
    assert (living / "run" / "lock").exists()


def test_a_folder_whose_nats_server_still_lives_is_left_alone(parent):
    folder = a_leftover(parent, "nats-lives")
    held_by_child = open_lock(folder / "run" / "lock")
    assert try_lock(held_by_child)

    removed = sweep(parent, young_s=0)

    os.close(held_by_child)
    assert removed == []


def test_a_new_folder_and_a_link_are_left_alone(parent):
    a_leftover(parent, "just-made")
    target = parent / "elsewhere"
    target.mkdir()
    (parent / f"{PREFIX}link").symlink_to(target)

    assert sweep(parent) == []
    assert sweep(parent, young_s=0) == [parent / f"{PREFIX}just-made"]
    assert target.exists()


def test_a_command_removes_its_own_folder_and_old_leftovers(parent):
    leftover = a_leftover(parent, "old")
    os.utime(leftover, (0, 0))

    with temporary_data() as root:
        assert root.is_dir()
        assert not leftover.exists()

    assert list(parent.iterdir()) == []
