"""Learns what a plugin is, at start and again at a reload: its manifest is read, and its environment validated, in a
fresh sandbox; then this process looks whether what the manifest asks for is here.

A plugin that is broken or lacks something is data, a state with a reason; it never keeps another plugin from starting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.workplace import Workplace
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.read_manifest import read_manifest, size_of

from .plugin_limits import excess

log = structlog.get_logger(__name__)

MAX_MANIFESTS_BYTES = 384 * 1024
"""What all manifests together may have as JSON: they travel in every heartbeat, in one message."""


async def load_plugins(
    place: Workplace, found: Iterable[FoundPlugin], on_ready: Callable[[FoundPlugin], Awaitable[None]]
) -> None:
    """Enter every found plugin into the registry, a few at a time.

    Args:
        place: the runner's connections, its registry and its limits.
        found: what discovery gave.
        on_ready: awaited for each plugin that is ready, as soon as it is.
    """
    turn = asyncio.Semaphore(place.settings.loads_at_once)

    async def load(plugin: FoundPlugin) -> None:
        async with turn:
            is_ready = await load_plugin(place, plugin)
        if is_ready:
            await on_ready(plugin)

    async with asyncio.TaskGroup() as group:
        for plugin in found:
            group.create_task(load(plugin))


async def load_plugin(place: Workplace, plugin: FoundPlugin) -> bool:
    """Take a fresh look at a plugin and enter what came of it; gives whether it is ready.

    A plugin that is known already keeps its state until the look is done, and its jobs go on whatever comes of it.
    """
    if plugin.fault is not None:
        return _fail(place, plugin, None, plugin.fault)
    async with place.scratch.folder("manifest") as folder:
        read = await read_manifest(place.zygote, plugin, limits=place.settings.limits(), scratch=folder)
    manifest, outcome = read.manifest, read.outcome
    if (fault := read.fault or _excess_beside_others(place, plugin, manifest)) is not None:
        return _fail(place, plugin, None, fault)
    if manifest is None:
        return _judge(place, plugin, None, outcome)
    if place.registry.get_status(plugin.name) is None:
        place.registry.register(plugin, manifest)
    # Before what validate() said: "torch is not installed" helps more than the error that follows from it.
    missing = await place.dependencies.missing(manifest, place.devices.devices)
    if (lack := missing or excess(place.settings, manifest)) is not None:
        return _lacks(place, plugin, manifest, lack)
    return _judge(place, plugin, manifest, outcome)


def _excess_beside_others(place: Workplace, plugin: FoundPlugin, manifest: PluginManifest | None) -> str | None:
    if manifest is None:
        return None
    size = size_of(manifest)
    others = [known for known in place.registry.list_all() if known.name != plugin.name]
    if size + sum(size_of(known.manifest) for known in others if known.manifest) <= MAX_MANIFESTS_BYTES:
        return None
    return (
        f"its manifest of {size >> 10} KiB does not fit beside those of the {len(others)} other plugins, all together "
        f"may have {MAX_MANIFESTS_BYTES >> 10} KiB; shorten its descriptions and schemas or give it a runner of its own"
    )


def _judge(place: Workplace, plugin: FoundPlugin, manifest: PluginManifest | None, outcome: SandboxOutcome) -> bool:
    if outcome.ok and manifest is not None:
        place.registry.register(plugin, manifest)
        place.registry.mark_initialized(plugin.name)
        tools = [tool.name for tool in manifest.tools]
        log.info("plugin ready", plugin=plugin.name, version=manifest.version, tools=tools)
        return True
    text = outcome.error or "its sandbox gave no manifest"
    if outcome.code is Code.PLUGIN_UNAVAILABLE:
        return _lacks(place, plugin, manifest, text)
    return _fail(place, plugin, manifest, f"{outcome.error_type}: {text}" if outcome.error_type else text)


def _lacks(place: Workplace, plugin: FoundPlugin, manifest: PluginManifest | None, reason: str) -> bool:
    place.registry.register(plugin, manifest)
    place.registry.mark_unavailable(plugin.name, reason)
    log.warning("plugin unavailable", plugin=plugin.name, reason=reason)
    return False


def _fail(place: Workplace, plugin: FoundPlugin, manifest: PluginManifest | None, reason: str) -> bool:
    place.registry.register(plugin, manifest)
    place.registry.mark_failed(plugin.name, reason)
    log.warning("plugin failed", plugin=plugin.name, reason=reason)
    return False
