"""Folders in which plugin code wrote are emptied, whatever it left there, and nothing outside is touched."""

import os
import socket
from pathlib import Path

import pytest

from forgesyte_sandbox.shared.empty_folder import empty_folder, remove_folder

DEPTH = 1500


def nest(folder, depth=DEPTH):
    """Make folders in each other, deeper than a path may be long and than Python may recurse."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("in", dir_fd=at)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        inner = os.open("in", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def fill_with_everything(folder, outside):
    (folder / "link").symlink_to(outside)
    (folder / "link-to-file").symlink_to(outside / "precious")
    (folder / "hard").hardlink_to(outside / "precious")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "socket"))
    (folder / "closed").mkdir()
    (folder / "closed" / "file").touch(0o000)
    (folder / "closed" / "inner").mkdir(0o000)
    (folder / "closed").chmod(0o000)
    (folder / ".moved-up-0").mkdir()
    (folder / ".moved-up-0" / "deeper").mkdir()
    (folder / b"\xff\n".decode(errors="surrogateescape")).touch()


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("kept")
    return folder


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def test_everything_goes_and_nothing_outside_is_touched(folder, outside):
    fill_with_everything(folder, outside)
    nest(folder)

    empty_folder(folder)

    assert list(folder.iterdir()) == []
    assert (outside / "precious").read_text() == "kept"


def test_what_is_to_be_kept_stays(folder, outside):
    fill_with_everything(folder, outside)
    (folder / "kept").mkdir()
    (folder / "kept" / "file").write_text("kept")

    empty_folder(folder, keep=("kept",))

    assert [path.name for path in folder.rglob("*")] == ["kept", "file"]


def test_a_link_in_place_of_the_folder_is_refused(folder, outside):
    folder.rmdir()
    folder.symlink_to(outside)

    with pytest.raises(NotADirectoryError):
        empty_folder(folder)

    assert (outside / "precious").exists()


def test_it_needs_no_descriptor_per_level(folder):
    nest(folder)
    before = len([*Path("/proc/self/fd").iterdir()])

    remove_folder(folder)

    assert not folder.exists()
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_a_folder_that_is_not_there_needs_no_removal(folder):
    remove_folder(folder / "missing")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to leave files of another user")
def test_files_of_another_user_go_too(folder, outside):
    fill_with_everything(folder, outside)
    for path in folder.rglob("*"):
        os.chown(path, 60600, 60600, follow_symlinks=False)
    os.chown(folder, 60600, 60600)

    empty_folder(folder)

    assert list(folder.iterdir()) == []
