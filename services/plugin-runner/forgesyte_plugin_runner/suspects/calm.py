"""Since when the runners of this machine have met no fault: the control that contracts/blame.py asks for.

A zygote that lives, with jobs or without, is a runner that meets no fault. Each heartbeat carries that of its runner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from forgesyte_chassis.bus import RunnerTable
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.machine import boot_id

Period = tuple[datetime, datetime]
"""Without a fault since, and known until."""


@dataclass(frozen=True, slots=True)
class CalmMachine:
    """What is known of the faults of this machine.

    Attributes:
        runners: the heartbeats.
        clock: the runner's.
        calm_s: returns for how many seconds this runner's zygote has lived.
    """

    runners: RunnerTable
    clock: Clock
    calm_s: Callable[[], float]

    @property
    def faultless_since(self) -> datetime:
        """Since when this runner has met no fault."""
        return self.clock.now() - timedelta(seconds=self.calm_s())

    async def periods(self) -> list[Period]:
        """Return the present period of each living runner of this machine, this one's first.

        Raises:
            BusUnavailable: the heartbeats could not be read.
        """
        async with self.runners.watch() as view:
            beats = view.living().values()
        here = boot_id()
        others = [
            (beat.faultless_since, beat.beat_at)
            for beat in beats
            if here is not None and beat.boot_id == here and beat.faultless_since and beat.beat_at
        ]
        return [(self.faultless_since, self.clock.now()), *others]
