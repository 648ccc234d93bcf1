"""Uids are leased to one service at a time, and what runs under a leased one dies with its home."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from forgesyte_sandbox.parent.homes.homes import Homes
from forgesyte_sandbox.parent.homes.survivors import end_survivors
from forgesyte_sandbox.parent.homes.uids import NoFreeUid, Uids
from forgesyte_sandbox.shared.kill import kill_uids
from forgesyte_sandbox.shared.process_tree import descendants_of, processes_of, uids_in_use
from forgesyte_sandbox.shared.shared_memory import SHARED_MEMORY
from forgesyte_sandbox.shared.wall_rules import WallRules

RANGE = 61200, 61201
ZYGOTE = "forgesyte_sandbox.child.zygote"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run processes under another uid")


@pytest.fixture
def uids(tmp_path):
    uids = Uids(RANGE, tmp_path / "leases", start=RANGE[0])
    yield uids
    uids.close()


@pytest.fixture
def in_a_container():
    """A sandbox under the first uid, in a PID namespace of its own."""
    command = ["unshare", "--pid", "--fork", f"--setgid={RANGE[0]}", f"--setuid={RANGE[0]}", "/bin/sh", "-c"]
    with subprocess.Popen([*command, "echo; sleep 600 & wait", ZYGOTE], stdout=subprocess.PIPE) as process:
        if not process.stdout.readline():
            pytest.skip("needs the right to make a PID namespace")
        yield process
        for pid in descendants_of(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()


@pytest.fixture
def sleeper():
    """A process under the first uid, in a session of its own and without our mark."""
    with subprocess.Popen(["sleep", "600"], user=RANGE[0], group=RANGE[0], start_new_session=True, env={}) as process:
        yield process
        process.kill()


def test_two_services_never_hold_the_same_uid(uids, tmp_path):
    other = Uids(RANGE, tmp_path / "leases", start=RANGE[0])

    assert [uids.lease(), other.lease()] == list(RANGE)
    with pytest.raises(NoFreeUid, match="sandbox_uids"):
        uids.lease()
    other.close()
    assert uids.lease() == RANGE[1]
    assert uids.leased == {*RANGE}


def test_the_search_begins_anywhere_in_the_range_and_goes_around(tmp_path):
    uids = Uids((61200, 61203), tmp_path / "leases", start=61202)

    assert [uids.lease() for _ in range(4)] == [61202, 61203, 61200, 61201]
    uids.close()


def test_services_of_other_containers_begin_elsewhere(tmp_path, monkeypatch):
    first = set()
    for number in range(8):
        monkeypatch.setattr(socket, "gethostname", lambda number=number: f"container-{number}")
        uids = Uids((61200, 61699), tmp_path / f"leases-{number}")
        first.add(uids.lease())
        uids.close()

    assert len(first) > 4
    assert all(61200 <= uid <= 61699 for uid in first)


def test_two_threads_of_a_service_never_get_the_same_uid(tmp_path):
    range_ = 61200, 61207
    for number in range(3):
        uids = Uids(range_, tmp_path / f"leases-{number}")
        with ThreadPoolExecutor(8) as pool:
            leased = list(pool.map(lambda _, uids=uids: uids.lease(), range(8)))
        uids.close()

        assert len({*leased}) == 8


def test_a_lease_ends_with_its_service(uids, tmp_path):
    program = f"""
import sys
from pathlib import Path
from forgesyte_sandbox.parent.homes.survivors import end_survivors
from forgesyte_sandbox.parent.homes.uids import Uids
print(Uids({RANGE}, Path({str(tmp_path / "leases")!r}), start={RANGE[0]}).lease(), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert int(other.stdout.readline()) == RANGE[0]
        assert uids.lease() == RANGE[1]
        other.kill()
        other.wait()

    assert uids.lease() == RANGE[0]


def test_the_uid_of_a_user_is_skipped(tmp_path):
    with pytest.raises(NoFreeUid):
        Uids((0, 0), tmp_path / "leases").lease()


def test_a_folder_that_others_may_write_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(PermissionError, match="only the service may write"):
        Uids(RANGE, tmp_path / "open").lease()


@needs_root
def test_a_uid_under_which_a_process_runs_is_skipped(uids, sleeper):
    assert uids.lease() == RANGE[1]


@needs_root
def test_processes_are_found_and_killed_by_their_uid(sleeper):
    assert list(processes_of({RANGE[0]})) == [sleeper.pid]

    assert kill_uids({RANGE[0]}) == 0

    assert sleeper.wait() == -9


@needs_root
def test_a_process_of_another_container_is_left_alone_and_its_uid_is_skipped(uids, in_a_container):
    assert uids.end_abandoned() == 0
    assert kill_uids({RANGE[0]}) == 0

    assert in_a_container.poll() is None
    assert RANGE[0] in uids_in_use()
    assert uids.lease() == RANGE[1]


@needs_root
async def test_a_home_that_is_given_back_has_no_process_and_no_shared_memory(uids, tmp_path):
    async with Homes.open(tmp_path / "homes") as homes:
        homes.use_uids(uids)
        home = await homes.lease()
        left = SHARED_MEMORY / f"forgesyte-test-{os.getpid()}"
        left.touch()
        os.chown(left, home.uid, home.uid)
        with subprocess.Popen(
            ["sleep", "600"], user=home.uid, group=home.uid, start_new_session=True, env={}
        ) as process:
            await homes.give_back(home)
            assert process.wait() == -9

        assert not left.exists()
        assert await homes.lease() == home
    assert uids.leased == frozenset()


@needs_root
@pytest.mark.parametrize(("name", "is_ended"), [(ZYGOTE, True), ("another-program", False)])
def test_what_a_dead_service_left_is_ended_and_no_other_program(uids, name, is_ended):
    command = ["/bin/sh", "-c", "sleep 600 & wait", name]
    with subprocess.Popen(command, user=RANGE[0], group=RANGE[0], start_new_session=True, env={}) as left:
        assert uids.end_abandoned() == is_ended
        assert (left.poll() is not None) == is_ended
        assert uids.leased == frozenset()
        with suppress(ProcessLookupError):
            os.killpg(left.pid, signal.SIGKILL)


@needs_root
async def test_survivors_are_ended_for_a_service_that_has_no_zygote_yet(tmp_path, monkeypatch):
    monkeypatch.setattr("forgesyte_sandbox.parent.homes.survivors.Uids", partial(Uids, folder=tmp_path / "leases"))
    command = ["/bin/sh", "-c", "sleep 600 & wait", "forgesyte_sandbox.child.zygote"]
    with subprocess.Popen(command, user=RANGE[0], group=RANGE[0], start_new_session=True, env={}) as left:
        await end_survivors(WallRules.off())
        assert left.poll() is None

        await end_survivors(WallRules(uids=RANGE))
        assert left.wait() == -9


async def test_leases_that_cannot_be_used_keep_no_service_from_starting(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("forgesyte_sandbox.parent.homes.survivors.Uids", partial(Uids, folder=tmp_path / "leases"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "leases").touch()

    await end_survivors(WallRules(uids=RANGE))

    assert "not looked for" in caplog.text


@needs_root
def test_what_a_living_service_runs_is_left_alone(uids, tmp_path):
    other = Uids(RANGE, tmp_path / "leases", start=RANGE[0])
    uid = other.lease()
    command = ["/bin/sh", "-c", "sleep 600 & wait", ZYGOTE]
    with subprocess.Popen(command, user=uid, group=uid, start_new_session=True, env={}) as its:
        assert uids.end_abandoned() == 0
        assert its.poll() is None
        os.killpg(its.pid, signal.SIGKILL)
    other.close()
