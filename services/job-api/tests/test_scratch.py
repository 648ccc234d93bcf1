"""The scratch folder of job-api: swept when its process is dead, left alone while it lives, gone at the end."""

import fcntl
import os

import pytest

from forgesyte_job_api.scratch import Scratch


async def test_each_purpose_has_a_folder_of_its_own_that_is_gone_afterwards(tmp_path):
    async with Scratch.open(tmp_path / "scratch") as scratch:
        async with scratch.folder("upload") as first, scratch.folder("upload") as second:
            assert first != second
            assert list(first.iterdir()) == []
            (first / "input").write_bytes(b"x")

        assert [path.name for path in scratch.path.iterdir()] == ["lock"]
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["lock"]


async def test_a_folder_goes_even_when_its_user_fails(tmp_path):
    async with Scratch.open(tmp_path) as scratch:
        with pytest.raises(RuntimeError):
            async with scratch.folder("upload") as folder:
                (folder / "input").write_bytes(b"x")
                raise RuntimeError

        assert not folder.exists()


async def test_what_a_dead_process_left_is_swept_and_a_living_one_s_is_not(tmp_path):
    dead, foreign = tmp_path / "job-api-dead", tmp_path / "notes"
    for folder in (dead, foreign):
        folder.mkdir()
    (dead / "lock").touch()
    (dead / "upload-1").mkdir()

    async with Scratch.open(tmp_path) as living, Scratch.open(tmp_path) as other:
        assert not dead.exists()
        assert foreign.exists()
        assert living.path.exists()
        assert other.path.exists()


async def test_a_runner_in_the_same_folder_keeps_what_it_has_locked(tmp_path):
    runner = tmp_path / "runner-1"
    runner.mkdir()
    lock = os.open(runner / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        async with Scratch.open(tmp_path):
            assert runner.exists()
    finally:
        os.close(lock)
