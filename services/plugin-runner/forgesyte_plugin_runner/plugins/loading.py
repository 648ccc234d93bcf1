"""Learns what a plugin is, at start and at each reload: a fresh sandbox reads its manifest and validates its
environment; then this process checks whether everything the manifest asks for is here.

A plugin that is broken or lacks something is data, a state with a reason; it never keeps another plugin from starting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from forgesyte_chassis.scratch import Scratch
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote

from .dependencies import DependencyChecker
from .plugin_limits import excess
from .registry import PluginRegistry

log = structlog.get_logger(__name__)

MAX_MANIFEST_BYTES = 128 * 1024
MAX_MANIFESTS_BYTES = 384 * 1024
"""Bytes of JSON for one manifest and for all of them together: they travel in every heartbeat, in one message."""

_TRIES = 3
_SHORTEN = "shorten its descriptions and schemas"


class _Unusable(Exception):
    """What the sandbox returned is not a manifest of this plugin; the text says why."""


@dataclass(frozen=True, slots=True)
class PluginLoader:
    """Loads plugins into the registry.

    Attributes:
        settings: limits, and how many plugins load at once.
        registry: where they are registered.
        zygote, scratch: what reads a manifest.
        dependencies, devices: what is on this machine.
    """

    settings: RunnerSettings
    registry: PluginRegistry
    zygote: Zygote
    scratch: Scratch
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
        outcome = await self._ask(plugin)
        try:
            manifest = self._manifest_of(plugin, outcome)
        except _Unusable as fault:
            return self._fail(plugin, None, str(fault))
        if manifest is None:
            return self._judge(plugin, None, outcome)
        if self.registry.get_status(plugin.name) is None:
            self.registry.register(plugin, manifest)
        # Takes precedence over validate(): "torch is not installed" helps more than the error that follows from it.
        missing = await self.dependencies.missing(manifest, self.devices.devices)
        if (lack := missing or excess(self.settings, manifest)) is not None:
            return self._lacks(plugin, manifest, lack)
        return self._judge(plugin, manifest, outcome)

    async def _ask(self, plugin: FoundPlugin) -> SandboxOutcome:
        spec = {"entry_point": plugin.entry_point, "distribution": plugin.distribution, "name": plugin.name}
        async with self.scratch.folder("manifest") as folder:
            for _ in range(_TRIES):
                outcome = await self.zygote.run(Order("manifest", spec, limits=self.settings.limits(), scratch=folder))
                if outcome.kind != "released":
                    break
            return outcome

    def _manifest_of(self, plugin: FoundPlugin, outcome: SandboxOutcome) -> PluginManifest | None:
        told = (outcome.result or {}).get("manifest")
        if told is None:
            return None
        try:
            manifest = PluginManifest.model_validate(told)
        except ValidationError as fault:
            raise _Unusable(f"its manifest is not valid: {_first_error(fault)}") from None
        if manifest.name != plugin.name:
            text = f"its manifest says '{manifest.name}' and its entry point '{plugin.name}'; make both the same"
            raise _Unusable(text)
        size = _size_of(manifest)
        if size > MAX_MANIFEST_BYTES:
            text = f"its manifest has {size >> 10} KiB, the limit is {MAX_MANIFEST_BYTES >> 10} KiB; {_SHORTEN}"
            raise _Unusable(text)
        others = [known for known in self.registry.list_all() if known.name != plugin.name]
        if size + sum(_size_of(known.manifest) for known in others if known.manifest) > MAX_MANIFESTS_BYTES:
            raise _Unusable(
                f"its manifest of {size >> 10} KiB does not fit beside those of the {len(others)} other plugins: "
                f"together they may have {MAX_MANIFESTS_BYTES >> 10} KiB; {_SHORTEN} or run it on a separate runner"
            )
        return manifest

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


def _size_of(manifest: PluginManifest) -> int:
    return len(manifest.model_dump_json().encode())


def _first_error(fault: ValidationError) -> str:
    first = fault.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "manifest"
    return f"{where}: {first['msg']}"
