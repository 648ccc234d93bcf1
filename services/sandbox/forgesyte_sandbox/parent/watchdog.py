"""Watches one sandbox from outside: the time of each step and of the whole run, the memory of its processes, and
what it keeps on disk.

It needs nothing from the child, so a child that hangs in C, holds the GIL or is stopped is judged like any other.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from forgesyte_sandbox.shared.disk_usage import DiskUsage, disk_usage
from forgesyte_sandbox.shared.heartbeat import Beat, HeartbeatPage, Lane, Step
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.process_memory import group_bytes, quick_bytes, resident_bytes
from forgesyte_sandbox.shared.process_tree import descendants_of
from forgesyte_sandbox.shared.shared_memory import Inode

from . import verdict
from .verdict import Verdict

LOOK_EVERY_S = 0.05
_LATE_S = 0.5
_TREE_EVERY_S = 0.5
_TAKE_LIMIT_S = 10.0
_DISK_EVERY_S = 0.25
_FEW_PROCESSES = 16
"""Of so many the quick sum is made at once. Of hundreds it takes up to seconds, in which no other job of this service
would be served."""

_LOOKS = ThreadPoolExecutor(max_workers=128, thread_name_prefix="look")
"""Threads for looks that the child can keep waiting: the kernel shows mappings (smaps_rollup, maps) only while it holds
the child's mapping lock, which a child that maps and forks on a busy machine kept for 3.5 s. They are no threads of the
loop's own pool, in which files of other jobs wait for their turn."""

_Weight = tuple[frozenset[int], int, set[Inode]]
"""The processes of a group, their bytes, and the files in memory among them."""


class Watchdog:
    """Judges the process `pid` until its run ends.

    Attributes:
        seen_files: files in memory that the run's processes were seen to hold open.
    """

    def __init__(self, pid: int, page: HeartbeatPage, limits: Limits, *, scratch: Path | None = None) -> None:
        self.seen_files: set[Inode] = set()
        self._pid = pid
        self._scratch = scratch
        self._measuring: asyncio.Future[DiskUsage] | None = None
        self._weighing: asyncio.Future[_Weight] | None = None
        self._measured_at_s = time.monotonic()
        self._page = page
        self._limits = limits
        self._began_s = time.monotonic()
        self._seen: dict[Lane, tuple[Beat, int]] = {}
        self._members: frozenset[int] = frozenset({pid})
        self._members_at_s = self._began_s
        self._allowed_bytes = resident_bytes(pid) + limits.load_memory_bytes
        self._step_limits_s = {
            Step.LOAD: limits.load_timeout_s,
            Step.PREPARE: limits.frame_timeout_s,
            Step.FRAME: limits.frame_timeout_s,
            Step.DECODE: limits.frame_timeout_s,
            Step.FINALIZE: limits.finalize_timeout_s,
            Step.PROBE: limits.probe_timeout_s,
            Step.BEGIN: _TAKE_LIMIT_S,
        }

    @property
    def frame(self) -> int | None:
        """The frame the run is at: the one that the tools work on or wait for, else the one being decoded."""
        tools, decoder = self._page.read(Lane.TOOLS), self._page.read(Lane.DECODER)
        if tools.step is Step.WAIT and tools.frame is not None:
            return tools.frame + 1
        if tools.step in (Step.WAIT, Step.IDLE) and decoder.step is Step.DECODE:
            return decoder.frame
        return tools.frame

    @property
    def decoding(self) -> int | None:
        """The frame whose decoding may have ended the run; None when nothing was being decoded.

        A decoder that waits for room counts: its library may work ahead in threads of its own. So do tools that wait:
        what the decoder raised is raised there, when its own lane is over.
        """
        tools, decoder = self._page.read(Lane.TOOLS), self._page.read(Lane.DECODER)
        if decoder.frame is not None:
            return decoder.frame
        if tools.step in (Step.DECODE, Step.WAIT, Step.WRITE):
            return 0 if tools.frame is None else tools.frame + 1
        return None

    @property
    def step_left_s(self) -> float | None:
        """Seconds that the step under way may still take; negative when it is over its limit, None when it has none."""
        now_ns = time.monotonic_ns()
        left_s = [
            limit_s - self._age_s(lane, beat, now_ns)
            for lane in (Lane.TOOLS, Lane.DECODER)
            if (limit_s := self._step_limits_s.get((beat := self._page.read(lane)).step)) is not None
        ]
        return min(left_s, default=None)

    def allow_above(self, baseline_bytes: int) -> None:
        """Switch from the memory allowed for loading to the job's: what was in use after load, plus the job's limit."""
        self._allowed_bytes = baseline_bytes + self._limits.memory_bytes

    async def watch(self, give_up: Callable[[Verdict], None]) -> None:
        """Check until cancelled, or until a limit is passed: then call `give_up` once.

        After a look that comes late, because this process was busy or paused, what the child has sent meanwhile is read
        before it is judged: that may be the step's end.
        """
        looked_s, is_late, found = time.monotonic(), False, None
        while found is None:
            now_s = time.monotonic()
            is_late = not is_late and now_s - looked_s > LOOK_EVERY_S + _LATE_S
            looked_s = now_s
            if is_late or (found := self.look()) is None:
                await asyncio.sleep(LOOK_EVERY_S)
        give_up(found)

    def look(self) -> Verdict | None:
        """Judge the run as it stands now."""
        return self._judge_time() or self._judge_memory() or self._judge_disk()

    def _judge_time(self) -> Verdict | None:
        now_ns = time.monotonic_ns()
        tools, decoder = self._page.read(Lane.TOOLS), self._page.read(Lane.DECODER)
        tools_s, decoder_s = self._age_s(Lane.TOOLS, tools, now_ns), self._age_s(Lane.DECODER, decoder, now_ns)
        for beat, age_s in ((tools, tools_s), (decoder, decoder_s)):
            limit_s = self._step_limits_s.get(beat.step)
            if limit_s is not None and age_s > limit_s:
                return verdict.too_slow(beat.step, limit_s, beat.frame)
        # Both lanes wait for each other: plugin code has broken the decoder's thread.
        is_stuck = tools.step is Step.WAIT and decoder.step is Step.IDLE
        if is_stuck and min(tools_s, decoder_s) > self._limits.frame_timeout_s:
            return verdict.too_slow(Step.WAIT, self._limits.frame_timeout_s, tools.frame)
        if time.monotonic() - self._began_s > self._limits.job_timeout_s:
            return verdict.too_long(self._limits.job_timeout_s, tools.frame)
        return None

    def _judge_memory(self) -> Verdict | None:
        held_bytes = self._weigh()
        if held_bytes <= self._allowed_bytes:
            return None
        return verdict.too_much_memory(held_bytes, self._allowed_bytes, self.frame)

    def _weigh(self) -> int:
        """Return what the group holds, as far as it is known: the exact sum, and each of a large group, takes a thread.

        A thread's answer counts at the first look after it; until then nothing is known to be too much.
        """
        is_known = time.monotonic() - self._members_at_s < _TREE_EVERY_S
        if not is_known and len(self._members) <= _FEW_PROCESSES:
            self._members = _members_of(self._pid)
            self._members_at_s, is_known = time.monotonic(), True
        if len(self._members) <= _FEW_PROCESSES:
            at_most_bytes = quick_bytes(self._members, seen=self.seen_files)
            if at_most_bytes <= self._allowed_bytes:
                return at_most_bytes
        found, self._weighing = _result(self._weighing)
        if self._weighing is None:
            look = partial(_weight_of, self._pid, self._members if is_known else None, self._allowed_bytes)
            self._weighing = asyncio.get_running_loop().run_in_executor(_LOOKS, look)
            self._members_at_s = self._members_at_s if is_known else time.monotonic()
        if found is None:
            return 0
        self._members, held_bytes, files = found
        self.seen_files |= files
        return held_bytes

    def _judge_disk(self) -> Verdict | None:
        """Judge the last look at the folder, and begin another one in a thread when it is time."""
        if self._scratch is None:
            return None
        now_s, limits = time.monotonic(), self._limits
        found, self._measuring = _result(self._measuring)
        if self._measuring is None and now_s - self._measured_at_s >= _DISK_EVERY_S:
            self._measured_at_s = now_s
            look = partial(disk_usage, self._scratch, self._members, most_files=limits.scratch_files)
            self._measuring = asyncio.get_running_loop().run_in_executor(_LOOKS, look)
        if found is None or (found.bytes <= limits.scratch_bytes and found.files <= limits.scratch_files):
            return None
        return verdict.too_much_disk(found, limits, self.frame)

    def _age_s(self, lane: Lane, beat: Beat, now_ns: int) -> float:
        # The child may lie about its clock: a step is at least as old as our first sight of it.
        if lane not in self._seen or self._seen[lane][0] != beat:
            self._seen[lane] = (beat, now_ns)
        return (now_ns - min(beat.started_ns, self._seen[lane][1])) / 1e9


def _members_of(pid: int) -> frozenset[int]:
    return frozenset({pid, *descendants_of(pid)})


def _weight_of(pid: int, known: frozenset[int] | None, suspicious_above: int) -> _Weight:
    """Weigh the group of a process; None asks for its members as well."""
    members = known if known is not None else _members_of(pid)
    files: set[Inode] = set()
    return members, group_bytes(members, suspicious_above=suspicious_above, seen=files), files


def _result[T](looking: "asyncio.Future[T] | None") -> "tuple[T | None, asyncio.Future[T] | None]":
    """Return what a look found, if it has ended well, and the look that goes on."""
    if looking is None or not looking.done():
        return None, looking
    # A folder that the child has removed holds nothing.
    return (None if looking.cancelled() or looking.exception() else looking.result()), None
