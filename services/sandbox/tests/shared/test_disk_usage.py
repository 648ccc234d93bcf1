"""What a sandbox keeps on disk: blocks, each file once, also what has no name, and nothing can be hidden."""

import mmap
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from forgesyte_sandbox.shared.disk_usage import disk_usage
from forgesyte_sandbox.shared.empty_folder import remove_folder

MIB = 1 << 20
UID = 60600
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for what only root may")


def measure(folder, pids=(), most_files=1000):
    return disk_usage(folder, pids, most_files=most_files)


def fill(file: Path, size: int = MIB) -> None:
    file.write_bytes(b"x" * size)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def as_ordinary_user():
    """Yield a folder of the user that the test runs under, who may not read what permissions forbid."""
    own = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if own == 0:
            os.chown(folder, UID, UID)
            os.seteuid(UID)
        try:
            yield folder
        finally:
            os.seteuid(own)
            if own != 0:
                for path in (folder, folder / "closed", folder / "closed" / "inner"):
                    if path.exists():
                        path.chmod(0o700)


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


def make_closed(folder: Path) -> Path:
    closed = folder / "closed"
    (closed / "inner").mkdir(parents=True)
    fill(closed / "inner" / "file")
    closed.chmod(0o000)
    return closed


@needs_root
def test_what_permissions_hide_counts_and_keeps_them(tmp_path):
    closed = make_closed(tmp_path)

    assert measure(tmp_path).bytes >= MIB
    assert mode_of(closed) == 0o000


@pytest.mark.parametrize(
    ("mode", "name"), [(0o000, "closed"), (0o400, "closed"), (0o100, "closed"), (0o700, "closed/inner")]
)
def test_a_folder_that_cannot_be_read_counts_as_too_many_and_keeps_its_mode(as_ordinary_user, mode, name):
    closed = make_closed(as_ordinary_user)
    closed.chmod(0o700)
    if name != "closed":
        (closed / "inner").chmod(0o000)
    closed.chmod(mode)

    found = measure(as_ordinary_user)

    assert found.files == 1001
    assert found.hidden == f"the folder '{name}' in the scratch folder cannot be read"
    assert mode_of(closed) == mode


def test_a_scratch_folder_that_cannot_be_read_counts_as_too_many(as_ordinary_user):
    as_ordinary_user.chmod(0o000)

    found = measure(as_ordinary_user)

    assert (found.files, found.hidden) == (1001, "the scratch folder cannot be read")
    assert mode_of(as_ordinary_user) == 0o000


@pytest.mark.parametrize(("swapped_at", "counted"), [("swapped", 1), ("inner", 4)])
@pytest.mark.parametrize("path_length", [0, 2000])
def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path, monkeypatch, swapped_at, counted, path_length):
    """A child may put a link in place of a folder at any time, also between a look that lists it and its opening."""
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    (outside / "inner").mkdir(parents=True)
    for number in range(50):
        (outside / "inner" / str(number)).touch()
    (outside / "inner").chmod(0o555)
    scratch.mkdir()
    above = nest_to(scratch, path_length - len("/swapped"))
    swapped = above / "swapped"
    (swapped / "inner").mkdir(parents=True)
    (swapped / "inner" / "file").touch()
    (swapped / "beside").touch()
    swap_before(monkeypatch, swapped_at, swapped, outside)

    found = measure(scratch)

    assert swapped.is_symlink()
    assert mode_of(outside / "inner") == 0o555
    assert found.files == len(above.relative_to(scratch).parts) + counted


def nest_to(folder: Path, length: int) -> Path:
    """Make folders in each other until the path of the last is of that length."""
    while (missing := length - len(str(folder)) - 1) > 0:
        folder /= "d" * (200 if missing > 201 else missing)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def swap_before(monkeypatch, name: str, folder: Path, outside: Path) -> None:
    """Put a link to `outside` in place of `folder` right before an entry of that name is opened or listed."""

    def swapping(call):
        def called(path, *args, **options):
            if not isinstance(path, int) and Path(path).name == name and not folder.is_symlink():
                folder.rename(folder.with_name("was"))
                folder.symlink_to(outside)
            return call(path, *args, **options)

        return called

    monkeypatch.setattr(os, "open", swapping(os.open))
    monkeypatch.setattr(os, "scandir", swapping(os.scandir))


@needs_root
def test_another_file_system_is_not_entered(tmp_path):
    """Whatever is mounted in the folder is no disk of the sandbox's."""
    (tmp_path / "mounted").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path / "mounted"], check=False).returncode:
        pytest.skip("this machine lets no file system be mounted")
    try:
        (tmp_path / "mounted" / "file").touch()
        assert measure(tmp_path).files == 1
    finally:
        subprocess.run(["umount", tmp_path / "mounted"], check=True)


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
    assert found.hidden == ("" if is_counted else "folders in the scratch folder are nested deeper than 128 levels")


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(OSError):
        measure(tmp_path / "gone")
