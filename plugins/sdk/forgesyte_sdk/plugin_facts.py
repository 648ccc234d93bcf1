"""What a plugin says about itself, and the two hooks that run before its first job.

This stands below Tool and the contract check, so that both can name the type of a plugin without importing Plugin,
which needs both of them.
"""

from typing import ClassVar, Literal

from forgesyte_contracts.plugins import Permissions, PluginLimits, Requires


class PluginFacts:
    """The part of Plugin that does not need Tool; authors derive from Plugin.

    Attributes:
        name: the plugin's id, `^[a-z0-9_-]+$`.
        version: SemVer.
        description: what it does; the class's docstring when empty.
        author: who made it.
        license: SPDX id.
        capabilities: free words that a client may search for.
        requires: what must be present before it can run.
        limits: limits that replace the service's own.
        permissions: paths and devices that its code uses beyond its own packages and model files; the operator has to
            allow them by the plugin's name.
        isolation: `job`: a fresh process for each job; `plugin`: a warm one for each slot (GPU, slow import or load).
        stateful: whether a frame's output depends on earlier frames.
        latency_budget_ms: milliseconds per frame beyond which clients call the plugin slow; None: no budget.
        tools: the Tool classes it offers, at least one.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    description: ClassVar[str] = ""
    author: ClassVar[str] = ""
    license: ClassVar[str] = ""
    capabilities: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[Requires] = Requires()
    limits: ClassVar[PluginLimits] = PluginLimits()
    permissions: ClassVar[Permissions] = Permissions()
    isolation: ClassVar[Literal["job", "plugin"]] = "job"
    stateful: ClassVar[bool] = False
    latency_budget_ms: ClassVar[float | None] = None
    tools: ClassVar[tuple[type, ...]]

    def validate(self) -> None:
        """Check the environment, once per process. Does nothing unless overridden.

        Raises:
            PluginUnavailable: something outside the plugin is missing. Any other exception makes the plugin FAILED.
        """

    def load(self, device: str) -> None:
        """Load models, once per process. Does nothing unless overridden.

        Args:
            device: `cpu` or `gpu`, the kind of device chosen for the job; torch calls the latter `cuda`.

        Raises:
            PluginUnavailable: something outside the plugin is missing.
        """
