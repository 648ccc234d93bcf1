"""The one supervisor: keeps the process that a ProcessSpec describes running until it is asked to stop.

A child that dies is restarted after a wait that grows with each death and is reset once the child has run long enough.
One that is stopped or stalled is killed, which makes it one that died; one that is to be replaced is stopped first.
Each death that was not asked for is reported, because its witness can judge it better than a process that only misses
the child. Nothing here knows what nats-server or a runner is. The caller decides the order of stopping by nesting
supervise().
"""

import asyncio
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.problems import Code, ForgeSyteError

from .logfiles import last_lines, rotate, size_of
from .process import ProcessSpec, kill_tree, spawn, stop
from .stall import LOOK_EVERY_S, StallRule, StallWatch

log = structlog.get_logger()

_SHORTAGES = (OSError, subprocess.SubprocessError)
"""What starting a process raises on a machine that has no process, memory or descriptor to spare."""


REPLACE_GRACE_S = 1.0
"""What a child that is replaced gets to end by itself: nats-server with a write error may hang in its shutdown."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before the next start: first_s, doubled up to most_s, and first_s again after steady_s alive."""

    first_s: float = 0.1
    most_s: float = 10.0
    steady_s: float = 30.0

    def after(self, wait_s: float, *, alive_s: float) -> float:
        """Return the wait after `wait_s`, for a child that has lived for `alive_s` seconds."""
        if alive_s >= self.steady_s:
            return self.first_s
        return min(wait_s * 2, self.most_s)


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a child that was to run on, as its supervisor saw it.

    Attributes:
        child: the name of its ProcessSpec.
        worked_as: the name in its alive page; None when it had not begun to work.
        exit_status: as Popen counts it: minus the signal, or the status.
        stall: why the supervisor killed it; None when it died by itself.
    """

    child: str
    worked_as: str | None
    exit_status: int
    stall: str | None = None


def _ignore(_death: Death) -> None:
    return


@dataclass(frozen=True, slots=True)
class Care:
    """How a child is looked after.

    Attributes:
        backoff: the waits between two lives.
        stall: when a living child is killed.
        on_death: called after each death that was not asked for; it must return at once.
        clean_up: called in a thread after each life, before the next one.
        prepare: called before each life; an OSError counts as a start that failed.
    """

    backoff: Backoff = Backoff()
    stall: StallRule = field(default_factory=StallRule)
    on_death: Callable[[Death], None] = _ignore
    clean_up: Callable[[], object] | None = None
    prepare: Callable[[], object] | None = None


class Supervised:
    """One supervised child, made by supervise(); `starts` counts how often it was started."""

    def __init__(self, spec: ProcessSpec, care: Care) -> None:
        self.spec = spec
        self.starts = 0
        self.exit_status: int | None = None
        self._care = care
        self._stall: str | None = None
        self._start_fault: str | None = None
        self._log_start = size_of(spec.log_file)
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._replaced = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The pid of the running child; None between two lives."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    @property
    def working_as(self) -> str | None:
        """The name under which the child says that it works; None while it says none."""
        page = self._care.stall.page
        stamp = page.read() if page else None
        return stamp.name if stamp else None

    def require_first_life(self) -> None:
        """Check that the child was started and has not died since.

        Raises:
            ForgeSyteError: SERVICE_UNAVAILABLE, with the reason, or how it ended and the last lines of its log.
        """
        if self.starts == 0 and self._start_fault:
            text = f"{self.spec.name} cannot be started: {self._start_fault}."
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text)
        if self.exit_status is None:
            return
        lines = "\n  ".join(last_lines(self.spec.log_file, after_byte=self._log_start)) or "(its log is empty)"
        raise ForgeSyteError(
            Code.SERVICE_UNAVAILABLE,
            f"{self.spec.name} did not start: it {describe_exit(self.exit_status)}. "
            f"The last lines of its log ({self.spec.log_file}):\n  {lines}",
        )

    def stop(self) -> None:
        """Request the end of the child; keep_alive() stops it, reaps it and returns."""
        self._stopping.set()

    def replace(self, why: str) -> None:
        """End a child that does not do its work, as a stop would but within REPLACE_GRACE_S, and start it again.

        Args:
            why: for the log, as a clause.
        """
        log.warning("child is replaced", child=self.spec.name, reason=why)
        self._replaced.set()

    async def keep_alive(self) -> None:
        """Run the child, and restart it when it dies, until stop(); a cancellation stops it in the same way.

        A child that cannot be started is tried again, because a machine that is short of processes or memory must not
        lose everything else that runs here; require_first_life() tells those who wait for it.
        """
        backoff = self._care.backoff
        wait_s = backoff.first_s
        while not self._stopping.is_set():
            process = await self._start()
            alive_s = await self._one_life(process) if process else 0.0
            if self._stopping.is_set():
                return
            if self._replaced.is_set():  # which is no death: whatever asked for it decides when to ask again
                wait_s = backoff.first_s
                continue
            if process:
                self._report_death(wait_s)
            await is_set_within(self._stopping, wait_s)
            wait_s = backoff.after(wait_s, alive_s=alive_s)

    async def _start(self) -> Process | None:
        """Start the child; None when that failed."""
        if self._care.stall.page:
            self._care.stall.page.clear()
        self._stall = None
        self._replaced.clear()
        try:
            if self._care.prepare:
                self._care.prepare()
            process = self._process = await spawn(self.spec)
        except _SHORTAGES as fault:
            self._start_fault = str(fault)
            log.warning("child not started, trying again", child=self.spec.name, reason=str(fault))
            return None
        self.starts += 1
        log.info("child started", child=self.spec.name, pid=process.pid)
        return process

    async def _one_life(self, process: Process) -> float:
        """Wait until the child ends or a stop is requested, and clean up; return the seconds it lived."""
        clock = asyncio.get_running_loop().time
        started_s = clock()
        try:
            async with asyncio.TaskGroup() as group:
                stopped = group.create_task(self._stopping.wait())
                died = group.create_task(process.wait())
                replaced = group.create_task(self._replaced.wait())
                stalled = group.create_task(self._kill_when_stalled(process))
                await asyncio.wait((stopped, died, replaced), return_when=asyncio.FIRST_COMPLETED)
                for task in (stopped, died, replaced, stalled):
                    task.cancel()
        finally:
            is_replaced = self._replaced.is_set() and not self._stopping.is_set()
            grace_s = REPLACE_GRACE_S if is_replaced else self.spec.grace_s
            self.exit_status = await stop(process, grace_s=grace_s)
            await self._clean_up()
        return clock() - started_s

    def _report_death(self, wait_s: float) -> None:
        log.warning(
            "child died, restarting it",
            child=self.spec.name,
            ended=describe_exit(self.exit_status or 0),
            stall=self._stall,
            wait_s=round(wait_s, 1),
            log_file=str(self.spec.log_file),
        )
        self._care.on_death(Death(self.spec.name, self.working_as, self.exit_status or 0, self._stall))

    async def _clean_up(self) -> None:
        clean_up = self._care.clean_up
        if clean_up is None:
            return
        is_due = True

        def clean_up_if_due() -> None:
            if is_due:
                clean_up()

        try:
            await asyncio.to_thread(clean_up_if_due)
        except (OSError, RuntimeError) as fault:
            # Without a thread to spare it waits for one all the same, and must not meet the next life.
            is_due = False
            log.warning("not cleaned up after a child", child=self.spec.name, reason=str(fault))

    async def _kill_when_stalled(self, process: Process) -> None:
        """Kill a child that stands still, with all that descends from it, and return; while it works, never return."""
        watch = StallWatch(process.pid, self._care.stall)
        while self._stall is None:
            await asyncio.sleep(LOOK_EVERY_S)
            self._stall = watch.look()
        log.warning("child stands still, killing it", child=self.spec.name, pid=process.pid, reason=self._stall)
        kill_tree(process.pid)


def describe_exit(status: int) -> str:
    """Return in words how a process ended: `was killed by signal 9` or `ended with status 3`."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


@asynccontextmanager
async def supervise(
    spec: ProcessSpec, group: asyncio.TaskGroup, *, care: Care | None = None
) -> AsyncIterator[Supervised]:
    """Keep a child running during the block; after it the child is stopped and reaped.

    Args:
        spec: what to run; its log is rotated first.
        group: the task group of the supervising task.
        care: how it is looked after.

    Raises:
        OSError: the log cannot be rotated.
    """
    rotate(spec.log_file)
    child = Supervised(spec, care or Care())
    task = group.create_task(child.keep_alive(), name=f"supervise {spec.name}")
    try:
        yield child
    finally:
        child.stop()
        await asyncio.wait((task,))
