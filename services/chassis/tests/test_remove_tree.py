"""Folders that plugin code wrote in are removed, however deep, closed or full of links."""

import os

from forgesyte_chassis.remove_tree import remove_tree


def test_a_folder_goes_with_what_is_nested_deeper_than_python_recurses(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("in", dir_fd=at)
        inner = os.open("in", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)

    remove_tree(folder)

    assert not folder.exists()


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
