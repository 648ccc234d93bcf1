"""What the inspector answers about runners and devices."""

from enum import StrEnum

from pydantic import BaseModel

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.runners import Device


class RunnerState(StrEnum):
    """Where a runner stands."""

    ALIVE = "alive"
    DRAINING = "draining"
    LOST = "lost"


class DeviceOnRunner(Device):
    """A device and the runner that has it."""

    runner_id: str
    host: str


class OfferedPlugin(BaseModel):
    """A plugin as one runner has it."""

    name: str
    state: PluginState


class RunnerInfo(BaseModel):
    """A runner. Of a lost one everything but `state` is as it was when it was last heard of, `silent_s` seconds ago."""

    runner_id: str
    state: RunnerState
    draining: bool
    silent_s: float
    host: str
    pid: int
    version: str
    started_at: str
    slots: int
    slots_busy: int
    jobs: tuple[str, ...]
    plugins: tuple[OfferedPlugin, ...]
