"""Runners as other services see them: their devices, and the heartbeat in which each reports its state."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from .jobs import Moment
from .plugins import PluginOnRunner, SandboxPolicy

CPU: Final = "cpu"
GPU: Final = "gpu"
"""The kinds of device."""


class Device(BaseModel):
    """A device on which a runner can run a job. Values that could not be measured are None."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["cpu", "gpu"]
    utilisation_ratio: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    """How busy it is, 0 to 1."""

    memory_used_bytes: int | None = Field(default=None, ge=0)
    memory_total_bytes: int | None = Field(default=None, ge=0)


class RunningStep(BaseModel):
    """The step that a job's sandbox was at when its runner beat, and how long that may still take.

    The runner ends a sandbox whose step takes too long; that a step is over its limit for a while shows that the runner
    does not work.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    left_s: Annotated[float, Field(allow_inf_nan=False)]
    """Seconds until the step passes its limit; negative when it has."""


class RunnerHeartbeat(BaseModel):
    """What a runner writes into the bucket `runners` every 2 s; a runner without one for 8 s is gone.

    `boot_id` is of its machine; until `beat_at` it had met no fault since `faultless_since`. `takes_suspects` says
    whether jobs that may have killed what ran them run there.
    """

    model_config = ConfigDict(frozen=True)

    runner_id: str
    host: str
    pid: int
    version: str
    started_at: str
    draining: bool = False
    slots: int = Field(ge=1)
    slots_busy: int = Field(default=0, ge=0)
    jobs: tuple[str, ...] = ()
    steps: tuple[RunningStep, ...] = ()
    """The steps under way that have a limit."""

    boot_id: str | None = None
    beat_at: Moment | None = None
    faultless_since: Moment | None = None
    takes_suspects: bool = True
    devices: tuple[Device, ...] = (Device(name=CPU, kind=CPU),)
    plugins: tuple[PluginOnRunner, ...] = ()
    policy: SandboxPolicy | None = None
    """What holds the sandboxes of this runner back, the same for all its plugins; None when it is not known."""
