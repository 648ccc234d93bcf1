"""The folders of sandboxes: one per slot for life, emptied after each run, and abandoned when that fails."""

import asyncio
import os
import shutil
import stat

import pytest

from forgesyte_sandbox.parent.homes.homes import Home, Homes
from tests.support.leased_homes import leased

UID = 60600
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give folders to another user")


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


async def test_a_home_is_the_same_folder_for_its_life(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes:
        async with leased(homes) as first:
            inodes = first.inbox.stat().st_ino, first.scratch.stat().st_ino
            (first.scratch / "left").write_text("by a run")
            (first.inbox / "input").write_text("for a run")
            (first.path / "beside").touch()
        async with leased(homes) as again:
            assert again == first
            assert (again.inbox.stat().st_ino, again.scratch.stat().st_ino) == inodes
            assert sorted(path.name for path in again.path.rglob("*")) == ["inbox", "scratch"]


async def test_a_folder_that_holds_something_is_refused_and_stays_as_it_is(tmp_path):
    root = tmp_path / "homes"
    root.mkdir(0o700)
    (root / "precious").touch()

    with pytest.raises(OSError, match="not empty"):
        async with Homes.open(root):
            pass

    assert (root / "precious").exists()
    assert mode_of(root) == 0o700


async def test_two_sandboxes_never_share_a_home(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes, leased(homes) as first, leased(homes) as second:
        assert first.path != second.path


async def test_others_pass_through_but_see_no_names_and_nothing_is_left(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes, leased(homes) as home:
        assert mode_of(homes.root) == 0o711
        assert [mode_of(path) for path in (home.path, home.inbox, home.scratch)] == [0o700] * 3
    assert not (tmp_path / "homes").exists()


@needs_root
def test_a_home_of_another_uid_lets_it_read_the_inbox_and_write_the_scratch(tmp_path):
    home = Home.make(tmp_path / "slot", UID)

    facts = {path.name: path.stat() for path in (home.path, home.inbox, home.scratch)}
    assert {name: (fact.st_uid, fact.st_gid) for name, fact in facts.items()} == {
        "slot": (0, UID), "inbox": (0, UID), "scratch": (UID, UID),
    }  # fmt: skip
    assert [mode_of(path) for path in (home.path, home.inbox, home.scratch)] == [0o710, 0o750, 0o700]


async def test_changed_modes_are_set_back(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes:
        async with leased(homes) as home:
            home.scratch.chmod(0o000)
            home.inbox.chmod(0o777)
        async with leased(homes) as again:
            assert again == home
            assert [mode_of(path) for path in (home.inbox, home.scratch)] == [0o700] * 2


@pytest.mark.parametrize("how", ["removed", "replaced", "a link"])
async def test_a_home_that_is_not_what_it_was_is_abandoned(tmp_path, how, caplog):
    async with Homes.open(tmp_path / "homes") as homes:
        async with leased(homes) as home:
            home.scratch.rename(home.path / "was")
            if how == "replaced":
                home.scratch.mkdir()
            elif how == "a link":
                home.scratch.symlink_to(tmp_path)
        async with leased(homes) as other:
            assert other.path != home.path
    assert "abandoned" in caplog.text
    assert tmp_path.exists()


async def test_a_cancelled_caller_leaves_an_empty_home(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes:
        home = await homes.lease()
        (home.scratch / "left").touch()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await homes.give_back(home)
        while homes._returning:
            await asyncio.wait(homes._returning)
        assert (await homes.lease()) == home
        assert list(home.scratch.iterdir()) == []


async def test_homes_that_were_deleted_are_made_again_even_without_their_root(tmp_path):
    async with Homes.open(tmp_path / "homes") as homes:
        async with leased(homes) as first:
            pass
        shutil.rmtree(homes.root)

        async with leased(homes) as second:
            assert second.path != first.path
            assert second.is_there
            assert not first.is_there
            assert mode_of(homes.root) == 0o711
