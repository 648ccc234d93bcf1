"""Files of an order: linked into the home, readable for its uid, and taken out only when they are plain files."""

import errno
import os
import stat
from pathlib import Path

import pytest

from forgesyte_sandbox.parent.homes.deliveries import NothingLeft, bring_in, take_out
from forgesyte_sandbox.parent.homes.homes import Home
from forgesyte_sandbox.shared.specs import AnnotateSpec, JobSpec, ManifestSpec

UID = 60600


@pytest.fixture
def home(tmp_path):
    return Home.make(tmp_path / "slot")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "callers"
    folder.mkdir(0o700)
    (folder / "input").write_text("media")
    (folder / "input").chmod(0o600)
    return folder


def job(path):
    return JobSpec("a:B", ["t"], str(path), "j")


def annotate(folder):
    return AnnotateSpec(str(folder / "input"), str(folder / "input"), ["t"], "../out.mp4")


async def test_the_child_gets_another_name_of_the_same_file(home, folder):
    spec = await bring_in(job(folder / "input"), home)

    assert spec.input == str(home.inbox / "input")
    assert Path(spec.input).samefile(folder / "input")
    assert await bring_in(ManifestSpec("a:B"), home) == ManifestSpec("a:B")


async def test_two_files_of_one_name_do_not_meet(home, folder):
    spec = await bring_in(annotate(folder), home)

    assert spec.input != spec.rows
    assert Path(spec.input).samefile(spec.rows)


async def test_a_link_leads_to_the_file_itself(home, folder):
    (folder / "link").symlink_to("input")

    spec = await bring_in(job(folder / "link"), home)

    assert not Path(spec.input).is_symlink()
    assert Path(spec.input).samefile(folder / "input")


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EPERM, errno.EMLINK])
async def test_what_cannot_be_linked_is_copied_with_its_holes(home, folder, monkeypatch, refusal):
    def refuse(*_args, **_options):
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", refuse)
    with (folder / "input").open("wb") as file:
        file.write(b"head")
        file.seek(1 << 30)
        file.write(b"tail")
        file.truncate((1 << 30) + (1 << 24))

    spec = await bring_in(job(folder / "input"), home)

    copy = Path(spec.input).stat()
    assert (copy.st_size, copy.st_blocks < 100) == ((1 << 30) + (1 << 24), True)
    with Path(spec.input).open("rb") as file:
        assert file.read(5) == b"head\0"
        file.seek(1 << 30)
        assert file.read(5) == b"tail\0"


async def test_a_missing_file_is_left_to_the_program(home, folder):
    assert (await bring_in(job(folder / "missing"), home)).input == str(home.inbox / "missing")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give folders to another user")
async def test_another_uid_may_read_its_file_and_never_write_it(tmp_path, folder):
    home = Home.make(tmp_path / "other", UID)

    spec = await bring_in(job(folder / "input"), home)

    facts = Path(spec.input).stat()
    assert (stat.S_IMODE(facts.st_mode), facts.st_uid) == (0o604, 0)
    assert Path(spec.input).read_text() == "media"
    assert stat.S_IMODE((folder / "input").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give folders to another user")
async def test_a_file_that_all_may_read_is_not_copied_for_another_uid(tmp_path, folder):
    (folder / "input").chmod(0o644)

    spec = await bring_in(job(folder / "input"), Home.make(tmp_path / "other", UID))

    assert Path(spec.input).samefile(folder / "input")


async def test_what_is_made_comes_out_under_its_name_alone(home, folder):
    (home.scratch / "out.mp4").write_text("video")

    await take_out(annotate(folder), home, folder)

    assert (folder / "out.mp4").read_text() == "video"
    assert stat.S_IMODE((folder / "out.mp4").stat().st_mode) == 0o600
    assert not (home.scratch / "out.mp4").exists()


@pytest.mark.parametrize("plant", ["link", "dangling", "hard link", "fifo", "folder", "nothing"])
async def test_what_is_no_plain_file_is_not_taken(home, folder, tmp_path, plant):
    secret, out = tmp_path / "secret", home.scratch / "out.mp4"
    secret.write_text("secret")
    match plant:
        case "link":
            out.symlink_to(secret)
        case "dangling":
            out.symlink_to("nowhere")
        case "hard link":
            out.hardlink_to(secret)
        case "fifo":
            os.mkfifo(out)
        case "folder":
            out.mkdir()

    with pytest.raises(NothingLeft, match="no plain file"):
        await take_out(annotate(folder), home, folder)

    assert not (folder / "out.mp4").exists()
    assert secret.read_text() == "secret"
