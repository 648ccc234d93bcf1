"""Learns what a plugin is, at start and at each reload: a fresh sandbox reads its manifest and validates its
environment; then this process checks whether everything the manifest asks for is here.

A plugin that is broken or lacks something is data, a state with a reason; it never keeps another plugin from starting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_contracts.runners import Device
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.read_manifest import ReadPlugin, read_manifest, size_of
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.wall_rules import NO_GRANTS, Grants

from .dependencies import DependencyChecker
from .plugin_grants import device_of, grants_for, refusal
from .plugin_limits import excess
from .registry import PluginRegistry

log = structlog.get_logger(__name__)

MAX_MANIFESTS_BYTES = 384 * 1024
"""What all manifests together may have as JSON: they travel in every heartbeat, in one message."""


async def lack_of(
    manifest: PluginManifest, settings: RunnerSettings, dependencies: DependencyChecker, devices: Sequence[Device] = ()
) -> str | None:
    """Return why a plugin is UNAVAILABLE here, whatever its own validate() says; None when nothing speaks against it.

    Args:
        manifest: the plugin's.
        settings: what the operator allows.
        dependencies: looks for what the manifest requires.
        devices: this machine's, with the memory of its GPUs where known.
    """
    missing = await dependencies.missing(manifest, devices)
    return missing or excess(settings, manifest) or refusal(settings, manifest)


@dataclass(frozen=True, slots=True)
class PluginLoader:
    """Loads plugins into the registry.

    Attributes:
        settings: limits, and how many plugins load at once.
        registry: where they are registered.
        zygote: what reads a manifest.
        dependencies, devices: what is on this machine.
    """

    settings: RunnerSettings
    registry: PluginRegistry
    zygote: Zygote
    dependencies: DependencyChecker
    devices: DeviceMonitor

    async def load_all(self, found: Iterable[FoundPlugin], on_ready: Callable[[FoundPlugin], Awaitable[None]]) -> None:
        """Load every found plugin, a few at a time.

        Args:
            found: the installed plugins.
            on_ready: awaited for each plugin that is ready, as soon as it is.
        """
        turn = asyncio.Semaphore(self.settings.loads_at_once)

        async def load(plugin: FoundPlugin) -> None:
            async with turn:
                is_ready = await self.load(plugin)
            if is_ready:
                await on_ready(plugin)

        async with asyncio.TaskGroup() as group:
            for plugin in found:
                group.create_task(load(plugin))

    async def load(self, plugin: FoundPlugin) -> bool:
        """Load a plugin, register the result, and return whether the plugin is ready.

        A plugin that is registered already keeps its state until loading is done, and its jobs continue in any case.
        """
        if plugin.fault is not None:
            return self._fail(plugin, None, plugin.fault)
        read = await self._read(plugin, NO_GRANTS)
        manifest, outcome = read.manifest, read.outcome
        if (fault := read.fault or self._excess_beside_others(plugin, manifest)) is not None:
            return self._fail(plugin, None, fault)
        if manifest is None:
            return self._judge(plugin, None, outcome)
        if self.registry.get_status(plugin.name) is None:
            self.registry.register(plugin, manifest)
        # Takes precedence over validate(): "torch is not installed" helps more than the error that follows from it.
        lack = await lack_of(manifest, self.settings, self.dependencies, self.devices.devices)
        if lack is not None:
            return self._lacks(plugin, manifest, lack)
        grants = grants_for(manifest, device_of(manifest))
        if not outcome.ok and grants != NO_GRANTS:
            # Only its manifest says what it needs. Now that this is granted, its environment is judged again.
            outcome = (await self._read(plugin, grants)).outcome
        return self._judge(plugin, manifest, outcome)

    async def _read(self, plugin: FoundPlugin, grants: Grants) -> ReadPlugin:
        return await read_manifest(self.zygote, plugin, limits=self.settings.limits(), grants=grants)

    def _excess_beside_others(self, plugin: FoundPlugin, manifest: PluginManifest | None) -> str | None:
        if manifest is None:
            return None
        size = size_of(manifest)
        others = [known for known in self.registry.list_all() if known.name != plugin.name]
        if size + sum(size_of(known.manifest) for known in others if known.manifest) <= MAX_MANIFESTS_BYTES:
            return None
        return (
            f"its manifest of {size >> 10} KiB does not fit beside those of the {len(others)} other plugins: together "
            f"they may have {MAX_MANIFESTS_BYTES >> 10} KiB; shorten its descriptions and schemas or run it on a "
            "separate runner"
        )

    def _judge(self, plugin: FoundPlugin, manifest: PluginManifest | None, outcome: SandboxOutcome) -> bool:
        if outcome.ok and manifest is not None:
            self.registry.register(plugin, manifest)
            self.registry.mark_initialized(plugin.name)
            tools = [tool.name for tool in manifest.tools]
            log.info("plugin ready", plugin=plugin.name, version=manifest.version, tools=tools)
            return True
        text = outcome.error or "its sandbox returned no manifest"
        if outcome.code is Code.PLUGIN_UNAVAILABLE:
            return self._lacks(plugin, manifest, text)
        return self._fail(plugin, manifest, f"{outcome.error_type}: {text}" if outcome.error_type else text)

    def _lacks(self, plugin: FoundPlugin, manifest: PluginManifest | None, reason: str) -> bool:
        self.registry.register(plugin, manifest)
        self.registry.mark_unavailable(plugin.name, reason)
        log.warning("plugin unavailable", plugin=plugin.name, reason=reason)
        return False

    def _fail(self, plugin: FoundPlugin, manifest: PluginManifest | None, reason: str) -> bool:
        self.registry.register(plugin, manifest)
        self.registry.mark_failed(plugin.name, reason)
        log.warning("plugin failed", plugin=plugin.name, reason=reason)
        return False
