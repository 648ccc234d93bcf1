"""Real folders, and where root runs the tests, real small disks."""

import asyncio
import shutil
import threading

import pytest

from forgesyte_chassis import disk_watch
from forgesyte_chassis.disk_watch import (
    RESERVE_BYTES,
    RESERVE_INODES,
    DiskWatch,
    WatchedFolder,
    can_write,
    reserve,
    written_folders,
)
from forgesyte_chassis.scratch import Scratch
from forgesyte_contracts.problems import Code, ForgeSyteError
from tests.support.small_disk import small_disk

EVERYTHING = 1 << 60


def watch_of(path, **settings):
    return DiskWatch((WatchedFolder("the folder of the store", path),), **settings)


def refusal(watch, more_bytes=0):
    with pytest.raises(ForgeSyteError) as caught:
        watch.require_room(more_bytes)
    assert caught.value.code is Code.STORAGE_FULL
    assert caught.value.retryable
    return caught.value.detail


async def test_below_min_free_bytes_nothing_new_is_stored_and_the_folder_still_takes_files(tmp_path):
    watch = watch_of(tmp_path, min_free_bytes=EVERYTHING)

    fault = await watch.look()

    assert not fault.is_blocked
    assert f"{EVERYTHING} are kept free" in refusal(watch)
    assert watch.check() is True
    assert can_write(tmp_path)


async def test_what_is_announced_must_fit_above_the_reserve(tmp_path):
    watch = watch_of(tmp_path, min_free_bytes=0)

    assert await watch.look() is None
    watch.require_room()
    assert "bytes were announced" in refusal(watch, EVERYTHING)


async def test_looks_at_the_same_time_share_one_and_all_end(tmp_path):
    watch = watch_of(tmp_path, min_free_bytes=0)

    assert await asyncio.gather(*(watch.look() for _ in range(5))) == [None] * 5


async def test_the_room_is_that_of_the_fullest_disk_that_is_written_to(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with Scratch.open(disk.path / "scratch", "job-api") as scratch:
            watch = DiskWatch(written_folders(tmp_path, None, scratch), min_free_bytes=0)
            await watch.look()
            nowhere = DiskWatch(written_folders(None, None, scratch), min_free_bytes=0)
            await nowhere.look()

            assert watch.room_bytes() > 8 << 20
            assert 0 < watch.room_bytes(scratch.path) <= 8 << 20
            assert nowhere.room_bytes() is None


async def test_what_is_announced_goes_to_the_store_alone_whatever_room_other_disks_have(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with Scratch.open(disk.path / "scratch", "job-api") as scratch:
            watch = DiskWatch(written_folders(tmp_path, str(disk.path), scratch), min_free_bytes=0)
            assert await watch.look() is None
            watch.require_room(100 << 20)

            in_an_object_store = DiskWatch(written_folders(None, str(disk.path), scratch), min_free_bytes=0)
            assert await in_an_object_store.look() is None
            in_an_object_store.require_room(EVERYTHING)


def test_the_reserve_is_reserve_bytes_or_reserve_share_of_a_small_disk():
    assert reserve(None, RESERVE_BYTES, 1 << 40) == 256 * 1024 * 1024
    assert reserve(None, RESERVE_BYTES, 1000) == 50
    assert reserve(0, RESERVE_BYTES, 1 << 40) == 0
    assert reserve(None, RESERVE_INODES, 1 << 30) == 1024


async def test_a_deleted_folder_is_said_once_and_made_again(tmp_path):
    async with Scratch.open(tmp_path / "scratch", "runner") as scratch:
        store, bus = tmp_path / "store", tmp_path / "nats"
        for folder in (store, bus):
            folder.mkdir()
        watch = DiskWatch(written_folders(store, str(bus), scratch), min_free_bytes=0)
        assert await watch.look() is None

        shutil.rmtree(scratch.path)
        shutil.rmtree(store)

        fault = await watch.look()
        assert fault.is_blocked
        assert "was deleted" in fault.text
        assert await watch.look() is None
        assert (scratch.path / "lock").exists()
        assert store.is_dir()
        async with Scratch.open(tmp_path / "scratch", "another"):
            assert scratch.path.exists(), "no neighbour takes it for abandoned"

        shutil.rmtree(bus)
        for _ in range(3):
            assert "does not outlive a restart" in (await watch.look()).text
        assert not bus.exists(), "the server that runs has its records in the deleted files"


async def test_a_disk_that_does_not_answer_within_look_limit_s_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_watch, "LOOK_LIMIT_S", 0.05)
    answers = threading.Event()
    folder = tmp_path / "store"
    watch = DiskWatch((WatchedFolder("the folder of the store", folder, answers.wait),), min_free_bytes=0)
    await watch.look()  # it is missing

    assert "did not answer" in (await watch.look()).text

    answers.set()
    folder.mkdir()
    monkeypatch.setattr(disk_watch, "LOOK_LIMIT_S", 30)
    await watch.look()
    assert await watch.look() is None


async def test_a_full_disk_takes_nothing_and_a_freed_one_does(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        watch = watch_of(disk.path)
        assert await watch.look() is None

        disk.fill()

        assert (await watch.look()).is_blocked
        assert "No space left" in watch.check()
        assert not can_write(disk.path)
        disk.free()
        assert await watch.look() is None


async def test_a_disk_without_inodes_takes_nothing(tmp_path):
    with small_disk(tmp_path / "disk", size="8m", inodes=200) as disk:
        watch = watch_of(disk.path)
        assert await watch.look() is None

        disk.fill_inodes()

        assert (await watch.look()).is_blocked
        disk.free_one_inode()
        assert "are kept free" in (await watch.look()).text


async def test_a_read_only_disk_takes_nothing(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        watch = watch_of(disk.path)

        disk.make_read_only()

        assert "Read-only" in (await watch.look()).text
        disk.make_writable()
        assert await watch.look() is None
