"""What a sandbox keeps on disk: blocks, each file once, also what has no name, and nothing can be hidden."""

import mmap
import os
from pathlib import Path

import pytest

from forgesyte_sandbox.shared.disk_usage import disk_usage
from forgesyte_sandbox.shared.empty_folder import remove_folder

MIB = 1 << 20


def measure(folder, pids=(), most_files=1000):
    return disk_usage(folder, pids, most_files=most_files)


def fill(file: Path, size: int = MIB) -> None:
    file.write_bytes(b"x" * size)


def test_blocks_count_and_not_what_a_file_claims(tmp_path):
    fill(tmp_path / "file")
    (tmp_path / "claims").touch()
    os.truncate(tmp_path / "claims", 1 << 40)

    found = measure(tmp_path)

    assert MIB <= found.bytes < 2 * MIB
    assert found.files == 2


def test_a_file_with_two_names_counts_once(tmp_path):
    fill(tmp_path / "file")
    (tmp_path / "again").hardlink_to(tmp_path / "file")

    assert measure(tmp_path).bytes < 2 * MIB


def test_links_are_not_followed(tmp_path):
    (tmp_path / "link").symlink_to("/usr")

    assert measure(tmp_path).files == 1


@pytest.mark.parametrize("how", ["unlinked", "never named"])
def test_open_files_without_a_name_count(tmp_path, how):
    if how == "unlinked":
        file_fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
        (tmp_path / "file").unlink()
    else:
        file_fd = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR)
    again = os.dup(file_fd)
    os.write(file_fd, b"x" * MIB)

    found = measure(tmp_path, [os.getpid()])
    os.close(file_fd)
    os.close(again)

    assert MIB <= found.bytes < 2 * MIB


def test_a_file_that_is_mapped_and_closed_counts(tmp_path):
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"x" * MIB)
        file.flush()
        mapping = mmap.mmap(file.fileno(), MIB)
    (tmp_path / "file").unlink()

    found = measure(tmp_path, [os.getpid()])
    mapping.close()

    assert MIB <= found.bytes < 2 * MIB


def test_what_permissions_hide_counts(tmp_path):
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    fill(tmp_path / "closed" / "inner" / "file")
    (tmp_path / "closed").chmod(0o000)

    assert measure(tmp_path).bytes >= MIB


def test_a_look_ends_soon_after_the_most_files(tmp_path):
    for number in range(50):
        (tmp_path / str(number)).touch()

    assert measure(tmp_path, most_files=10).files == 11


@pytest.mark.parametrize(("depth", "is_counted"), [(100, True), (700, False)])
def test_a_deep_tree_is_measured_or_counts_as_too_many(tmp_path, depth, is_counted):
    at = os.open(tmp_path, os.O_RDONLY)
    name = "in" * 125
    for _ in range(depth):
        os.mkdir(name, dir_fd=at)
        inner = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)

    found = measure(tmp_path, most_files=100_000)
    remove_folder(tmp_path / name)  # pytest cannot remove it

    assert found.files == (depth if is_counted else 100_001)


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(OSError):
        measure(tmp_path / "gone")
