"""What the inspector answers about runners and devices."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.runners import Device


class RunnerState(StrEnum):
    """Where a runner stands."""

    ALIVE = "alive"
    DRAINING = "draining"
    LOST = "lost"


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class DeviceOnRunner(Device):
    """A device and the runner that has it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    runner_id: str
    """The runner that has it."""

    host: str
    """The runner's host."""


class OfferedPlugin(_Body):
    """A plugin as one runner has it."""

    name: str
    """Name of the plugin."""

    state: PluginState
    """Where it stands in this runner."""


class RunnerInfo(_Body):
    """A runner. Of a lost one, everything but `state` is as its last heartbeat said, `silent_s` seconds ago."""

    runner_id: str
    """The runner's id, new at each start."""

    state: RunnerState
    """`alive`, `draining` or `lost`."""

    draining: bool
    """Whether it finishes its jobs and claims no more."""

    silent_s: float
    """Seconds since its last heartbeat."""

    host: str
    """The host it runs on."""

    pid: int
    """Its process id there."""

    version: str
    """The version of the runner."""

    started_at: str
    """When it started, UTC in ISO 8601."""

    slots: int
    """How many jobs it runs at once."""

    slots_busy: int
    """How many of its slots run a job."""

    jobs: tuple[str, ...]
    """The ids of these jobs."""

    plugins: tuple[OfferedPlugin, ...]
    """Its plugins, those that cannot be used included."""
