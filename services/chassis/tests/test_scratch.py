"""The scratch folder of a process: swept when its process is dead, left alone while it lives, gone at the end."""

import pytest

from forgesyte_chassis.scratch import Scratch


async def test_each_purpose_has_a_folder_of_its_own_that_is_gone_afterwards(tmp_path):
    async with Scratch.open(tmp_path / "scratch", "job-api") as scratch:
        async with scratch.folder("upload") as first, scratch.folder("upload") as second:
            assert first != second
            assert list(first.iterdir()) == []
            (first / "input").write_bytes(b"x")

        assert [path.name for path in scratch.path.iterdir()] == ["lock"]
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["lock"]


async def test_a_folder_goes_even_when_its_user_fails(tmp_path):
    async with Scratch.open(tmp_path, "job-api") as scratch:
        with pytest.raises(RuntimeError):
            async with scratch.folder("upload") as folder:
                (folder / "input").write_bytes(b"x")
                raise RuntimeError

        assert not folder.exists()


async def test_what_a_dead_process_left_is_swept_and_a_living_one_s_is_not(tmp_path):
    dead, foreign = tmp_path / "runner-dead", tmp_path / "notes"
    for folder in (dead, foreign):
        folder.mkdir()
    (dead / "lock").touch()
    (dead / "upload-1").mkdir()

    async with Scratch.open(tmp_path, "runner") as runner, Scratch.open(tmp_path, "job-api") as job_api:
        assert not dead.exists()
        assert foreign.exists(), "a folder without a lock file is not ours"
        assert runner.path.exists()
        assert job_api.path.exists()
