"""Where the jobs of one runner run: in a fresh sandbox, or in one that has their plugin loaded already."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from forgesyte_contracts.plugins import PluginManifest, SandboxPolicy
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.pool import WarmKey, WarmPool
from forgesyte_sandbox.parent.zygote import Zygote

from .living_sandboxes import LivingSandboxes


@dataclass(frozen=True, slots=True)
class JobSandboxes:
    """The sandboxes of one runner.

    Attributes:
        zygote: starts fresh ones.
        warm: the loaded ones; None when there are none.
        living: those that run a job now.
    """

    zygote: Zygote
    warm: WarmPool | None = None
    living: LivingSandboxes = field(default_factory=LivingSandboxes)

    @property
    def policy(self) -> SandboxPolicy | None:
        """What holds the sandboxes back; None while that is not known."""
        return self.zygote.policy

    def runner_for(self, manifest: PluginManifest, device: str) -> Callable[[Order], Awaitable[SandboxOutcome]]:
        """Return what runs a job of this plugin: `run` of the warm pool or of the zygote."""
        if self.warm is not None and manifest.isolation == "plugin":
            return partial(self.warm.run, WarmKey(manifest.name, device))
        return self.zygote.run

    def waiting(self) -> dict[int, str]:
        """Return process id and plugin of each loaded sandbox without a job; safe to call from another thread."""
        return {} if self.warm is None else {pid: key.plugin for pid, key in self.warm.idle_pids().items()}

    def retire(self, plugin: str) -> None:
        """End the loaded sandboxes of a plugin; one that runs a job ends after it."""
        if self.warm is not None:
            self.warm.retire(plugin)
