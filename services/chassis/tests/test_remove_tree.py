"""Folders that plugin code wrote in are removed, however deep, closed or full of links."""

import os
import stat
from pathlib import Path

import pytest

from forgesyte_chassis.remove_tree import remove_tree


def nest(folder: Path, depth: int = 1500) -> None:
    """Make folders in each other, deeper than Python recurses."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("in", dir_fd=at)
        inner = os.open("in", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def test_a_folder_goes_with_what_is_nested_deeper_than_python_recurses(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    nest(folder)
    before = len([*Path("/proc/self/fd").iterdir()])

    remove_tree(folder)

    assert not folder.exists()
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_closed_folders_go_and_links_are_not_followed(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    (folder / "closed" / "inner").mkdir(parents=True)
    outside.mkdir()
    (outside / "precious").touch()
    (folder / "closed" / "link").symlink_to(outside)
    (folder / "link").symlink_to(outside)
    (folder / "closed" / "inner").chmod(0o000)
    (folder / "closed").chmod(0o000)

    remove_tree(folder)

    assert not folder.exists()
    assert (outside / "precious").exists()


def test_a_missing_folder_is_no_error(tmp_path):
    remove_tree(tmp_path / "missing")


@pytest.mark.parametrize("call", ["open", "chmod"])
def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path, monkeypatch, call):
    """A process that outlived its service may put a link in place of a folder at any time."""
    outside, folder, swapped = tmp_path / "outside", tmp_path / "folder", tmp_path / "folder" / "deeper" / "swapped"
    (outside / "precious").mkdir(parents=True)
    outside.chmod(0o555)
    swapped.mkdir(parents=True)
    if call == "chmod":
        nest(folder, 1100)
    real = getattr(os, call)

    def swapping(path, *args, **options):
        if Path(path).name == "swapped" and swapped.is_dir() and not swapped.is_symlink():
            swapped.rename(tmp_path / "was")
            swapped.symlink_to(outside)
        return real(path, *args, **options)

    monkeypatch.setattr(os, call, swapping)

    remove_tree(folder)

    assert not folder.exists()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o555
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_a_link_in_place_of_the_folder_stays(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").touch()
    (tmp_path / "link").symlink_to(tmp_path / "outside")

    remove_tree(tmp_path / "link")

    assert (tmp_path / "link" / "precious").exists()


def test_what_cannot_be_removed_stays_and_the_rest_goes(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    (folder / "stays" / "in").mkdir(parents=True)
    nest(folder / "stays" / "in", 1100)
    (folder / "goes" / "inner").mkdir(parents=True)
    (folder / "goes" / "file").touch()
    real = os.rename

    def refuse(name, *args, **options):
        if name == "in":
            raise PermissionError(name)
        real(name, *args, **options)

    monkeypatch.setattr(os, "rename", refuse)
    remove_tree(folder)
    monkeypatch.undo()

    assert [path.name for path in folder.iterdir()] == ["stays"]
    remove_tree(folder)  # pytest cannot remove it
    assert not folder.exists()
