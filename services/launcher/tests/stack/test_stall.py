import asyncio
import errno
import os
import signal
import sys

import psutil
import pytest

from forgesyte_chassis.alive_page import AlivePage
from forgesyte_launcher.stack.process import ProcessSpec
from forgesyte_launcher.stack.stall import LOOK_EVERY_S, StallRule, StallWatch, is_process_stopped
from forgesyte_launcher.stack.supervisor import Backoff, Care, Death, supervise
from tests.support import eventually

STAMPS = """
import asyncio, sys
from forgesyte_chassis.alive_page import stamping
async def main():
    async with stamping(int(sys.argv[1]), "worker"):
        print("stamping", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
HANGS = """
import asyncio, sys, time
from forgesyte_chassis.alive_page import stamping
async def main():
    async with stamping(int(sys.argv[1]), "worker"):
        await asyncio.sleep(0.1)
        time.sleep(600)
asyncio.run(main())
"""
QUICK = Backoff(first_s=0.01, most_s=0.05)


class ByHand:
    """A clock, a process state and a page that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.is_stopped = False
        self.page = AlivePage()

    def watch(self) -> StallWatch:
        rule = StallRule(self.page)
        return StallWatch(1, rule, clock=lambda: self.now_s, is_stopped=lambda _pid: self.is_stopped)

    def stamp(self) -> None:
        os.pwrite(self.page.fd, int(self.now_s * 1e9).to_bytes(8, "little"), 0)

    def looks(self, watch: StallWatch, count: int, *, every_s: float = LOOK_EVERY_S) -> list[str]:
        """Look so often; return what was found."""
        found = []
        for _ in range(count):
            self.now_s += every_s
            found.append(watch.look())
        return [reason for reason in found if reason]


@pytest.fixture
def hand():
    hand = ByHand()
    yield hand
    hand.page.close()


def test_a_loop_that_does_not_turn_for_4_s_is_found_within_5(hand):
    watch = hand.watch()
    hand.stamp()

    assert hand.looks(watch, 8) == []
    assert hand.looks(watch, 1) == ["its event loop has not turned for 4.5 s"]


def test_a_child_that_has_not_stamped_yet_is_still_starting(hand):
    assert hand.looks(hand.watch(), 1000) == []


def test_a_pause_of_the_machine_is_no_fault_of_the_child(hand):
    watch = hand.watch()
    hand.stamp()

    assert hand.looks(watch, 1, every_s=60) == []
    assert hand.looks(watch, 8) == []
    assert hand.looks(watch, 1), "from then on it is measured"


def test_a_machine_on_which_every_look_is_late_blames_no_child(hand):
    watch = hand.watch()
    hand.stamp()

    assert hand.looks(watch, 20, every_s=2) == []


def test_without_a_descriptor_to_look_with_no_child_counts_as_stopped(monkeypatch):
    def refuse(_pid):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(psutil, "Process", refuse)

    assert not is_process_stopped(os.getpid())


def test_a_child_found_stopped_once_may_go_on(hand):
    watch = hand.watch()
    hand.is_stopped = True
    assert hand.looks(watch, 1) == []
    hand.is_stopped = False
    assert hand.looks(watch, 1) == []
    hand.is_stopped = True

    assert hand.looks(watch, 2) == ["it is stopped"]


async def test_a_stopped_child_is_replaced_and_its_death_reported(tmp_path, hand):
    spec = ProcessSpec(
        "child",
        (sys.executable, "-c", STAMPS, str(hand.page.fd)),
        tmp_path / "child.log",
        keep_fds=(hand.page.fd,),
    )
    deaths: list[Death] = []
    care = Care(QUICK, StallRule(hand.page), deaths.append)
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=care) as child:
        await eventually(hand.page.read, what="the first stamp")
        first = psutil.Process(child.pid)

        first.send_signal(signal.SIGSTOP)

        await eventually(lambda: child.starts == 2 and hand.page.read(), what="the second life stamps")

    assert not first.is_running()
    assert deaths == [Death("child", "worker", -signal.SIGKILL, "it is stopped")], "its stop at the end is no death"


async def test_a_child_whose_loop_hangs_is_replaced(tmp_path, hand):
    spec = ProcessSpec(
        "child", (sys.executable, "-c", HANGS, str(hand.page.fd)), tmp_path / "child.log", keep_fds=(hand.page.fd,)
    )
    deaths: list[Death] = []
    care = Care(QUICK, StallRule(hand.page, silent_s=1), deaths.append)
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=care) as child:
        await eventually(lambda: child.starts == 2, what="the second life")

    assert deaths[0].stall.startswith("its event loop has not turned for 1.")
    assert deaths[0].worked_as == "worker"


TRACED = """
import ctypes, os, signal, sys, time
child = os.getpid()
if os.fork() == 0:
    os.setsid()
    ctypes.CDLL(None).ptrace(16, child, None, None)
while True:
    time.sleep(600)
"""


async def test_a_traced_child_is_replaced_although_its_tracer_would_live_on(tmp_path):
    """The parent of a traced process cannot reap it before its tracer has, and this tracer never does."""
    spec = ProcessSpec("child", (sys.executable, "-c", TRACED), tmp_path / "child.log", grace_s=0.1)
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=Care(QUICK)) as child:
        await eventually(lambda: child.starts == 2, what="a second life")
