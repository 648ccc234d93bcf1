"""What every job of one runner works with; opened once by the app and handed down."""

from dataclasses import dataclass, field

from forgesyte_chassis.blobs import Store
from forgesyte_chassis.bus import Bus
from forgesyte_contracts.ids import RunnerId
from forgesyte_sandbox.parent import Zygote

from .clock import Clock
from .registry import PluginRegistry
from .scratch import Scratch
from .settings import RunnerSettings
from .storefaults import Patience


@dataclass(frozen=True, slots=True)
class Workplace:
    """Open connections and shared state of one life of a runner."""

    runner_id: RunnerId
    settings: RunnerSettings
    bus: Bus
    store: Store
    zygote: Zygote
    scratch: Scratch
    registry: PluginRegistry = field(default_factory=PluginRegistry)
    clock: Clock = field(default_factory=Clock)

    @property
    def patience(self) -> Patience:
        """How long a refusing store is asked again."""
        return Patience(self.settings.store_patience_s, self.clock.monotonic)
