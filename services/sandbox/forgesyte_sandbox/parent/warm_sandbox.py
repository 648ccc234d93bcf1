"""A sandbox that has loaded its plugin: which one, whether it may serve another job, and its folder."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.warm_folders import FROM_LOAD

from .homes.homes import Home
from .sandbox import Sandbox
from .zygote_process import ChildExit


@dataclass(frozen=True, slots=True)
class WarmKey:
    """What a warm sandbox has loaded."""

    plugin: str
    device: str


@dataclass(frozen=True, slots=True)
class WarmRules:
    """When a warm sandbox is replaced.

    Attributes:
        idle_s: seconds without a job after which it is ended.
        jobs: how many jobs it may serve.
        drift_bytes: memory above its state after load that it may keep when a job is over; never more than half of
            what a job is allowed, because the next job has only the rest.
    """

    idle_s: float = 600
    jobs: int = 100
    drift_bytes: int = 256 * MIB


class WarmSandbox:
    """One of a pool's sandboxes, with its folder and its history.

    Attributes:
        key: what it has loaded.
        sandbox: the process and its descriptors.
        home: its folders for as long as it lives.
        jobs: how many it served.
        timer: ends it when it has been idle too long; None before it is idle.
        on_exit: called when it dies while it is idle.
    """

    def __init__(self, key: WarmKey, sandbox: Sandbox, home: Home) -> None:
        self.key = key
        self.sandbox = sandbox
        self.home = home
        self.jobs = 0
        self.timer: asyncio.TimerHandle | None = None
        self.on_exit: Callable[[asyncio.Future[ChildExit | None]], None] | None = None

    def may_take(self, limits: Limits) -> bool:
        """Whether it is as it was left and can be given the job's memory."""
        sandbox = self.sandbox
        return sandbox.is_silent and not sandbox.has_strays and sandbox.has_room(limits.memory_bytes)

    def why_replace(self, rules: WarmRules, limits: Limits) -> str | None:
        """Return why it may not serve another job after a good one, `jobs` or `drift`; None when it may."""
        if self.jobs >= rules.jobs:
            return "jobs"
        if self.sandbox.drift_bytes() > min(rules.drift_bytes, limits.memory_bytes // 2):
            return "drift"
        return None

    def forget_job(self) -> None:
        """Remove what a job was given and left (blocks); what the plugin wrote while it loaded stays.

        Raises:
            OSError: something cannot be removed.
        """
        self.home.clear(keep=(FROM_LOAD,))
