"""What every job of one runner works with; opened once by the app and handed down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.pool import WarmKey, WarmPool
from forgesyte_sandbox.parent.zygote import Zygote

from .attempt.live.watch_leases import WatchLeases
from .attempt.store_retry import Patience
from .devices.devices import DeviceMonitor
from .fault_backoff import FaultBackoff
from .living_sandboxes import LivingSandboxes
from .metrics import RunnerMetrics
from .plugins.dependencies import DependencyChecker
from .plugins.registry import PluginRegistry
from .settings import RunnerSettings


@dataclass(frozen=True, slots=True)
class Workplace:
    """Open connections and shared state of one life of a runner."""

    runner_id: RunnerId
    settings: RunnerSettings
    bus: Bus
    store: Store
    zygote: Zygote
    scratch: Scratch
    metrics: RunnerMetrics
    devices: DeviceMonitor
    registry: PluginRegistry
    clock: Clock = field(default_factory=SystemClock)
    sandboxes: LivingSandboxes = field(default_factory=LivingSandboxes)
    dependencies: DependencyChecker = field(default_factory=DependencyChecker)
    fitness: FaultBackoff = field(default_factory=FaultBackoff)
    leases: WatchLeases = field(default_factory=WatchLeases)
    warm: WarmPool | None = None

    def job_runner(self, manifest: PluginManifest, device: str) -> Callable[[Order], Awaitable[SandboxOutcome]]:
        """Give what runs a job of this plugin: `run` of the warm pool or of the zygote."""
        if self.warm is not None and manifest.isolation == "plugin":
            return partial(self.warm.run, WarmKey(manifest.name, device))
        return self.zygote.run

    def waiting_sandboxes(self) -> dict[int, str]:
        """The loaded sandboxes that wait for a job, process id and plugin; may be asked from another thread."""
        return {} if self.warm is None else {pid: key.plugin for pid, key in self.warm.idle_pids().items()}

    @property
    def patience(self) -> Patience:
        """How long a refusing store is asked again."""
        return Patience(self.settings.store_patience_s, self.clock.monotonic_s)
