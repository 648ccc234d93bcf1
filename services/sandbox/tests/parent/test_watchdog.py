"""Each step against its limit, judged from the page alone; the test's own process plays the child."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from forgesyte_sandbox.parent import watchdog
from forgesyte_sandbox.parent.watchdog import Watchdog
from forgesyte_sandbox.shared import process_memory
from forgesyte_sandbox.shared.heartbeat import HeartbeatPage, Lane, Step, StepMarker
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.process_memory import (
    data_bytes,
    file_bytes,
    group_bytes,
    proportional_bytes,
    resident_bytes,
)
from tests.support import HandClock, eventually

TINY = 1e-9
AMPLE = {
    "frame_timeout_s": 600, "load_timeout_s": 600, "finalize_timeout_s": 600, "job_timeout_s": 600,
    "memory_bytes": 1 << 40, "load_memory_bytes": 1 << 40,
}  # fmt: skip


@pytest.fixture
def page():
    page = HeartbeatPage()
    yield page
    page.close()


def judge(page, **limits):
    return Watchdog(os.getpid(), page, Limits(**{**AMPLE, **limits})).look()


@pytest.mark.parametrize(
    ("lane", "step", "limit"),
    [
        (Lane.TOOLS, Step.LOAD, "load_timeout_s"),
        (Lane.TOOLS, Step.PREPARE, "frame_timeout_s"),
        (Lane.TOOLS, Step.FRAME, "frame_timeout_s"),
        (Lane.TOOLS, Step.DECODE, "frame_timeout_s"),
        (Lane.DECODER, Step.DECODE, "frame_timeout_s"),
        (Lane.TOOLS, Step.FINALIZE, "finalize_timeout_s"),
        (Lane.TOOLS, Step.WAIT, "frame_timeout_s"),
        (Lane.TOOLS, Step.WRITE, "job_timeout_s"),
        (Lane.TOOLS, Step.IDLE, "job_timeout_s"),
    ],
)
def test_a_step_past_its_limit_is_a_timeout(page, lane, step, limit):
    heartbeat = StepMarker(page.fd)
    heartbeat.enter(Lane.TOOLS, Step.IDLE)
    heartbeat.enter(lane, step, 7)

    within, past = judge(page), judge(page, **{limit: TINY})

    assert within is None
    assert past.kind == "timeout"
    assert past.frame in (7, None)


@pytest.mark.parametrize(
    ("tools", "decoder", "decoding"),
    [
        pytest.param((Step.LOAD, None), None, None, id="the plugin is loaded"),
        pytest.param((Step.PREPARE, None), None, None, id="its tools are made"),
        pytest.param((Step.DECODE, None), None, 0, id="the file is opened"),
        pytest.param((Step.WAIT, None), (Step.DECODE, 0), 0, id="the first frame is decoded"),
        pytest.param((Step.FRAME, 7), (Step.DECODE, 9), 9, id="both are at work"),
        pytest.param((Step.FRAME, 7), (Step.IDLE, 15), 15, id="the decoder waits for room"),
        pytest.param((Step.FRAME, 7), (Step.IDLE, None), None, id="everything is decoded"),
        pytest.param((Step.WAIT, 7), (Step.IDLE, None), 8, id="the decoder has raised"),
        pytest.param((Step.FINALIZE, 7), (Step.IDLE, None), None, id="the tools finish"),
    ],
)
def test_a_death_may_be_the_decoder_s_while_a_frame_is_being_decoded(page, tools, decoder, decoding):
    heartbeat, watchdog = StepMarker(page.fd), Watchdog(os.getpid(), page, Limits(**AMPLE))
    heartbeat.enter(Lane.TOOLS, *tools)
    if decoder is not None:
        heartbeat.enter(Lane.DECODER, *decoder)

    assert watchdog.decoding == decoding


def test_tools_that_wait_are_at_the_frame_that_has_no_row_yet(page):
    heartbeat, watchdog = StepMarker(page.fd), Watchdog(os.getpid(), page, Limits(**AMPLE))
    heartbeat.enter(Lane.TOOLS, Step.WAIT, 7)
    heartbeat.enter(Lane.DECODER, Step.DECODE, 12)

    assert watchdog.frame == 8


def test_a_step_that_claims_to_begin_tomorrow_is_as_old_as_our_first_sight_of_it(page, monkeypatch):
    tomorrow_ns = time.monotonic_ns() + 86_400 * 10**9
    heartbeat, watchdog = StepMarker(page.fd), Watchdog(os.getpid(), page, Limits(**{**AMPLE, "frame_timeout_s": TINY}))
    with monkeypatch.context() as turned:
        turned.setattr(time, "monotonic_ns", lambda: tomorrow_ns)
        heartbeat.enter(Lane.TOOLS, Step.FRAME, 7)

    seen, later = watchdog.look(), watchdog.look()

    assert seen is None
    assert (later.kind, later.frame) == ("timeout", 7)


@pytest.mark.parametrize("step", [Step.WRITE, Step.IDLE])
def test_a_blocked_write_counts_against_no_step(page, step):
    StepMarker(page.fd).enter(Lane.TOOLS, step, 7)

    assert judge(page, frame_timeout_s=TINY, load_timeout_s=TINY, finalize_timeout_s=TINY) is None


def test_tools_that_wait_for_a_busy_decoder_are_not_to_blame(page):
    heartbeat = StepMarker(page.fd)
    heartbeat.enter(Lane.TOOLS, Step.WAIT, 3)
    heartbeat.enter(Lane.DECODER, Step.WRITE, 4)

    assert judge(page, frame_timeout_s=TINY) is None


def test_a_write_gives_the_step_before_it_a_new_start(page):
    heartbeat = StepMarker(page.fd)
    heartbeat.enter(Lane.TOOLS, Step.FRAME, 3)
    first = page.read(Lane.TOOLS)
    with heartbeat.writing():
        during = page.read(Lane.TOOLS)
    after = page.read(Lane.TOOLS)

    assert (during.step, during.frame) == (Step.WRITE, 3)
    assert (after.step, after.frame) == (Step.FRAME, 3)
    assert after.started_ns > first.started_ns


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda fd: os.pwrite(fd, b"\xff" * 128, 0), id="overwritten"),
    ],
)
def test_a_spoiled_page_keeps_the_last_known_beat(page, spoil):
    StepMarker(page.fd).enter(Lane.TOOLS, Step.FRAME, 7)
    before = page.read(Lane.TOOLS)

    spoil(page.fd)

    assert page.read(Lane.TOOLS) == before
    assert judge(page, frame_timeout_s=TINY).kind == "timeout"


@pytest.mark.parametrize("size", [0, 8192, 200 << 20])
def test_the_page_can_neither_be_cut_nor_hide_memory(page, size):
    before = page.read(Lane.TOOLS)

    with pytest.raises(PermissionError):
        os.ftruncate(page.fd, size)

    assert page.read(Lane.TOOLS) == before


@pytest.mark.parametrize(("paused_s", "turns"), [(0.0, 0), (3.0, 1)])
async def test_a_late_look_judges_after_what_the_child_sent_meanwhile_is_read(page, monkeypatch, paused_s, turns):
    """A runner that was busy for two seconds is not a step that took two seconds."""
    clock, passed, judged = HandClock(), 0, []
    monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=clock.monotonic_s, monotonic_ns=time.monotonic_ns))
    StepMarker(page.fd).enter(Lane.TOOLS, Step.FRAME, 7)
    watched = Watchdog(os.getpid(), page, Limits(**{**AMPLE, "frame_timeout_s": TINY}))

    async def turn(_seconds):
        nonlocal passed
        passed += 1

    def first_look():
        clock.passed_s += paused_s
        monkeypatch.setattr(watched, "look", lambda: judged.append(passed) or Watchdog.look(watched))

    monkeypatch.setattr(watched, "look", first_look)
    monkeypatch.setattr(asyncio, "sleep", turn)
    await watched.watch(lambda found: judged.append(found.kind))

    assert judged == [1 + turns, "timeout"]


GROWS = "import sys; input(); kept = bytearray(b'x' * (64 << 20)); print('grown', flush=True); input()"


async def test_a_group_over_its_memory_is_oom(page):
    StepMarker(page.fd).enter(Lane.TOOLS, Step.FRAME, 7)
    # A process of its own: the one that runs all tests shares pages with what it forked, so it may hold less than its
    # resident memory says.
    with subprocess.Popen([sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        watchdog = Watchdog(child.pid, page, Limits(**{**AMPLE, "load_memory_bytes": 32 * MIB}))
        within = watchdog.look()
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"grown\n"

        found = await eventually(watchdog.look, what="the verdict")
        child.kill()

    assert within is None
    assert (found.kind, found.frame) == ("oom", 7)


FORKS = """
import os, sys
for _ in range(40):
    if not os.fork():
        break
else:
    print("forked", flush=True)
sys.stdin.read()
"""


async def test_a_large_group_is_weighed_beside_the_loop(page, monkeypatch):
    """Hundreds of processes take seconds to weigh on a busy machine; meanwhile other jobs go on."""
    threads = set()

    def weigh(pids, **facts):
        threads.add(threading.get_ident())
        return group_bytes(pids, **facts)

    monkeypatch.setattr(watchdog, "group_bytes", weigh)
    monkeypatch.setattr(watchdog, "_TREE_EVERY_S", 0.0)
    child = subprocess.Popen([sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"forked\n"
        bomb = Watchdog(child.pid, page, Limits(**{**AMPLE, "memory_bytes": 1}))
        bomb.allow_above(0)

        found = await eventually(bomb.look, what="the verdict")
    finally:
        child.communicate()

    assert found.kind == "oom"
    assert threading.get_ident() not in threads


async def test_a_child_that_keeps_its_mapping_lock_is_weighed_beside_the_loop(page, monkeypatch):
    """The kernel shows mappings only to who gets that lock: the event loop of a runner once waited 3.5 s for it."""
    threads, is_free = set(), threading.Event()

    def wait_for_lock(_pid):
        threads.add(threading.get_ident())
        is_free.wait()
        return 2

    monkeypatch.setattr(process_memory, "proportional_bytes", wait_for_lock)
    StepMarker(page.fd).enter(Lane.TOOLS, Step.FRAME, 7)
    judged = Watchdog(os.getpid(), page, Limits(**{**AMPLE, "memory_bytes": 1}))
    judged.allow_above(0)
    try:
        before = judged.look()
        await eventually(lambda: threads, what="a thread that waits")
        hung = Watchdog(os.getpid(), page, Limits(**{**AMPLE, "memory_bytes": 1, "frame_timeout_s": TINY})).look()
        assert judged.look() is None, "nothing is known yet"
    finally:
        is_free.set()
    found = await eventually(judged.look, what="the verdict")

    assert (before, hung.kind, found.kind) == (None, "timeout", "oom")
    assert threading.get_ident() not in threads


def test_the_exact_sum_is_only_asked_for_when_the_quick_one_is_suspicious():
    pid = os.getpid()

    quick, exact = group_bytes([pid], suspicious_above=1 << 40), group_bytes([pid], suspicious_above=0)

    assert quick >= exact > 0
    assert proportional_bytes(pid) > 0
    assert data_bytes(pid) > 0


def test_memory_in_open_files_counts_once_for_all_who_hold_them():
    pid, before = os.getpid(), file_bytes([os.getpid()])
    memory = os.memfd_create("test")
    again = os.dup(memory)
    os.write(memory, b"x" * MIB)

    held, in_group = file_bytes([pid]), group_bytes([pid], suspicious_above=0)
    os.close(memory)
    os.close(again)

    assert held - before == MIB
    assert in_group >= proportional_bytes(pid)
    assert file_bytes([pid]) == before


def test_a_process_that_is_gone_holds_nothing():
    gone = 2**22 - 1

    assert (resident_bytes(gone), proportional_bytes(gone), file_bytes([gone])) == (0, 0, 0)
    with pytest.raises(ProcessLookupError):
        data_bytes(gone)


@pytest.mark.parametrize("name", ["frame_timeout_s", "memory_bytes", "job_timeout_s"])
def test_a_limit_must_be_above_zero(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


def test_limits_come_back_from_their_plain_form():
    limits = Limits(frame_timeout_s=1.5, memory_bytes=7)

    assert Limits.from_dict(limits.as_dict()) == limits


def test_the_default_limits_are_the_contracts():
    limits = Limits()

    assert (limits.frame_timeout_s, limits.load_timeout_s, limits.finalize_timeout_s) == (60, 120, 60)
    assert (limits.probe_timeout_s, limits.job_timeout_s, limits.memory_bytes) == (10, 6 * 3600, 1 << 30)
    assert (limits.output_bytes, limits.decode_ahead_bytes) == (1 << 20, 64 << 20)


def test_beats_use_the_monotonic_clock(page):
    before = time.monotonic_ns()
    StepMarker(page.fd).enter(Lane.TOOLS, Step.FRAME, 0)

    assert before <= page.read(Lane.TOOLS).started_ns <= time.monotonic_ns()


def test_the_step_that_is_nearest_to_its_limit_says_how_long_it_may_take(page):
    dog = Watchdog(os.getpid(), page, Limits(**{**AMPLE, "load_timeout_s": 50}))
    marker = StepMarker(page.fd)
    marker.enter(Lane.TOOLS, Step.IDLE)
    assert dog.step_left_s is None, "nothing with a limit is under way"

    marker.enter(Lane.TOOLS, Step.LOAD)
    marker.enter(Lane.DECODER, Step.DECODE, 3)

    assert 0 < dog.step_left_s <= 50
