"""Warm sandboxes (`isolation: plugin`): a plugin is loaded once, then serves one job after the other.

A sandbox lives on only after a job that went well or was refused before the plugin saw it. Any fault ends it, and so do
a number of jobs, memory that is not freed, idleness, and state that it cannot restore. So a job gets a warm process of
its own plugin or a new one, and never what another plugin left. There is no background task: a timer of the loop ends
idle sandboxes, and the zygote's report of an exit removes dead ones.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from forgesyte_sandbox.shared.limits import Limits

from .homes.deliveries import bring_in
from .order import Order, Script
from .outcome import SandboxOutcome
from .run import Run
from .warm_sandbox import WarmKey, WarmRules, WarmSandbox
from .zygote import Zygote, not_started
from .zygote_process import ZygoteFailed

__all__ = ["WarmKey", "WarmPool", "WarmRules"]

_TRIES = 2


class WarmPool:
    """Runs jobs in warm sandboxes. Made by `async with WarmPool.open(zygote, ...)`, inside the zygote's context.

    Attributes:
        retired: how many sandboxes were ended, by reason: fault, jobs, drift, idle, room, died, unfit, reload, end.
    """

    def __init__(self, zygote: Zygote, slots: int, rules: WarmRules) -> None:
        self._zygote = zygote
        self._slots = slots
        self._rules = rules
        self._idle: list[WarmSandbox] = []  # the longest idle first
        self._busy: Counter[WarmKey] = Counter()
        self._epochs: Counter[str] = Counter()
        self._dying: set[WarmSandbox] = set()
        self._sweeps: set[asyncio.Future[None]] = set()
        self._is_closed = False
        self.retired: Counter[str] = Counter()

    @classmethod
    @asynccontextmanager
    async def open(cls, zygote: Zygote, *, slots: int, rules: WarmRules | None = None) -> "AsyncIterator[WarmPool]":
        """Open an empty pool; at the end every idle sandbox is dead. A busy one ends with its run.

        Args:
            zygote: where sandboxes are forked.
            slots: how many sandboxes may exist, idle and busy together. The caller bounds how many are busy.
            rules: when a sandbox is replaced.
        """
        pool = cls(zygote, slots, rules or WarmRules())
        try:
            yield pool
        finally:
            await pool._close()

    def processes(self) -> dict[WarmKey, tuple[int, int]]:
        """Count the sandboxes by what they have loaded: idle, busy."""
        idle = Counter(warm.key for warm in self._idle)
        return {key: (idle[key], self._busy[key]) for key in {*idle, *self._busy} if idle[key] or self._busy[key]}

    def idle_pids(self) -> dict[int, WarmKey]:
        """Return the processes that wait for a job, and what they have loaded; may be called from another thread."""
        return {warm.sandbox.pid: warm.key for warm in list(self._idle)}

    def retire(self, plugin: str) -> None:
        """End the sandboxes that have loaded `plugin`: idle ones now, busy ones after their job."""
        self._epochs[plugin] += 1
        for warm in [warm for warm in self._idle if warm.key.plugin == plugin]:
            self._kill_idle(warm, "reload")

    async def run(self, key: WarmKey, order: Order) -> SandboxOutcome:
        """Run the program `job` as Zygote.run does, in a warm sandbox; the first of its kind loads the plugin first.

        Args:
            key: which plugin, on which device; the order's `spec` must name the same.
            order: what to do; its program is `job`.

        Returns:
            How it ended. When this returns, or raises, nothing that the job started is alive.
        """
        began_s = time.monotonic()
        Script.warm(order)  # refuses what is no job, before a sandbox is taken
        self._busy[key] += 1
        try:
            for _ in range(_TRIES):
                warm = await self._take_idle(key, order.limits)
                is_loaded = warm is not None
                try:
                    warm = warm or await self._start(key)
                except (ZygoteFailed, OSError) as error:
                    return not_started(str(error))
                outcome, was_taken = await self._work(warm, order, began_s)
                # It may have died or been stopped while it was idle, which is no fault of this job.
                if was_taken or not is_loaded or outcome.kind == "cancelled":
                    break
            return outcome
        finally:
            self._busy[key] -= 1

    async def _work(self, warm: WarmSandbox, order: Order, began_s: float) -> tuple[SandboxOutcome, bool]:
        """Return the outcome, and whether the sandbox took the job at all."""
        epoch, reason = self._epochs[warm.key.plugin], "fault"
        try:
            try:
                order = replace(order, spec=await bring_in(order.spec, warm.home))
            except OSError as error:
                return not_started(f"its files cannot be given to it: {error}"), True
            run = Run(order, warm.sandbox, Script.warm(order), began_s=began_s)
            outcome = await run.to_end()
            reason = await self._why_end(warm, run, order.limits, epoch)
            return outcome, run.was_taken
        finally:
            if reason:
                await self._end(warm, reason)
            else:
                self._rest(warm)

    async def _why_end(self, warm: WarmSandbox, run: Run, limits: Limits, epoch: int) -> str:
        """Return why a sandbox may not wait for another job; empty when it may."""
        warm.jobs += 1
        if not run.is_reusable:
            return run.why_not
        reason = warm.why_replace(self._rules, limits) or ""
        try:
            await asyncio.to_thread(warm.forget_job)
        except OSError:
            reason = "unfit"
        # Now, because it may have happened while the folder was emptied.
        if self._is_closed:
            return "end"
        return reason if epoch == self._epochs[warm.key.plugin] else "reload"

    async def _take_idle(self, key: WarmKey, limits: Limits) -> WarmSandbox | None:
        """Return the sandbox that was used last, so that spare ones age; end those that are unfit."""
        for warm in [warm for warm in reversed(self._idle) if warm.key == key]:
            if warm not in self._idle:  # ended while another one was being ended
                continue
            self._wake(warm)
            if warm.may_take(limits):
                warm.sandbox.log.clear()
                return warm
            await self._end(warm, "unfit")
        return None

    async def _start(self, key: WarmKey) -> WarmSandbox:
        # This job already counts as busy, so the idle ones must leave it a slot.
        while self._idle and len(self._idle) + self._busy.total() > self._slots:
            warm = self._idle[0]
            self._wake(warm)
            await self._end(warm, "room")
        home = await self._zygote.homes.lease()
        try:
            return WarmSandbox(key, await self._zygote.fork(home), home)
        except BaseException:
            await self._zygote.homes.give_back(home)
            raise

    def _rest(self, warm: WarmSandbox) -> None:
        loop = asyncio.get_running_loop()
        warm.timer = loop.call_later(self._rules.idle_s, self._kill_idle, warm, "idle")
        warm.on_exit = lambda _: self._on_death(warm)
        warm.sandbox.process.exited.add_done_callback(warm.on_exit)
        self._idle.append(warm)
        # This sandbox still counts as busy; there are too many only if more ran at once than there are slots.
        if len(self._idle) + self._busy.total() - 1 > self._slots:
            self._kill_idle(self._idle[0], "room")

    def _wake(self, warm: WarmSandbox) -> None:
        self._idle.remove(warm)
        if warm.timer is not None:
            warm.timer.cancel()
        if warm.on_exit is not None:
            warm.sandbox.process.exited.remove_done_callback(warm.on_exit)

    async def _end(self, warm: WarmSandbox, reason: str) -> None:
        """End a sandbox that is not idle, and wait until none of its processes is alive."""
        self._kill(warm, reason)
        await warm.sandbox.end()
        await warm.sandbox.zygote.bury_if_gone()

    def _kill_idle(self, warm: WarmSandbox, reason: str) -> None:
        """End an idle sandbox without waiting for it."""
        self._wake(warm)
        self._kill(warm, reason)

    def _kill(self, warm: WarmSandbox, reason: str) -> None:
        self.retired[reason] += 1
        self._dying.add(warm)
        warm.sandbox.process.kill()
        warm.sandbox.process.exited.add_done_callback(lambda _: self._clear(warm))

    def _on_death(self, warm: WarmSandbox) -> None:
        if warm in self._idle:  # else a job, or its own end, came between its death and this report
            self._wake(warm)
            self.retired["died"] += 1
            self._clear(warm)

    def _clear(self, warm: WarmSandbox) -> None:
        self._dying.discard(warm)
        warm.sandbox.close()
        sweep = self._zygote.homes.begin_return(warm.home)
        self._sweeps.add(sweep)
        sweep.add_done_callback(self._sweeps.discard)

    async def _close(self) -> None:
        self._is_closed = True
        for warm in list(self._idle):
            self._kill_idle(warm, "end")
        for warm in list(self._dying):
            if warm in self._dying:  # not cleared while another one was awaited
                await warm.sandbox.end()
        while self._sweeps:
            await asyncio.wait(self._sweeps)
