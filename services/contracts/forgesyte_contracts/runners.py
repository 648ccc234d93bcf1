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
    boot_id: str | None = None
    beat_at: Moment | None = None
    faultless_since: Moment | None = None
    takes_suspects: bool = True
    devices: tuple[Device, ...] = (Device(name=CPU, kind=CPU),)
    plugins: tuple[PluginOnRunner, ...] = ()
    policy: SandboxPolicy | None = None
    """What holds the sandboxes of this runner back, the same for all its plugins; None when it is not known."""
