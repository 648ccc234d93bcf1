"""Learns what a plugin is, at start and again at a reload: its manifest is read, and its environment validated, in a
fresh sandbox; then this process looks whether what the manifest asks for is here.

A plugin that is broken or lacks something is data, a state with a reason; it never keeps another plugin from starting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from pydantic import ValidationError

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.workplace import Workplace
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome

from .plugin_limits import excess

log = structlog.get_logger(__name__)

MAX_MANIFEST_BYTES = 128 * 1024
MAX_MANIFESTS_BYTES = 384 * 1024
"""What one manifest and all of them together may have as JSON: they travel in every heartbeat, in one message."""

_TRIES = 3
_SHORTEN = "shorten its descriptions and schemas"


class _Unusable(Exception):
    """What the sandbox gave is no manifest of this plugin; the text says why."""


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
    outcome = await _ask(place, plugin)
    try:
        manifest = _manifest_of(place, plugin, outcome)
    except _Unusable as fault:
        return _fail(place, plugin, None, str(fault))
    if manifest is None:
        return _judge(place, plugin, None, outcome)
    if place.registry.get_status(plugin.name) is None:
        place.registry.register(plugin, manifest)
    # Before what validate() said: "torch is not installed" helps more than the error that follows from it.
    missing = await place.dependencies.missing(manifest, place.devices.devices)
    if (lack := missing or excess(place.settings, manifest)) is not None:
        return _lacks(place, plugin, manifest, lack)
    return _judge(place, plugin, manifest, outcome)


async def _ask(place: Workplace, plugin: FoundPlugin) -> SandboxOutcome:
    spec = {"entry_point": plugin.entry_point, "distribution": plugin.distribution, "name": plugin.name}
    async with place.scratch.folder("manifest") as folder:
        for _ in range(_TRIES):
            outcome = await place.zygote.run(Order("manifest", spec, limits=place.settings.limits(), scratch=folder))
            if outcome.kind != "released":
                break
        return outcome


def _manifest_of(place: Workplace, plugin: FoundPlugin, outcome: SandboxOutcome) -> PluginManifest | None:
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
        text = f"its manifest has {size >> 10} KiB, at most {MAX_MANIFEST_BYTES >> 10} KiB are taken; {_SHORTEN}"
        raise _Unusable(text)
    others = [known for known in place.registry.list_all() if known.name != plugin.name]
    if size + sum(_size_of(known.manifest) for known in others if known.manifest) > MAX_MANIFESTS_BYTES:
        raise _Unusable(
            f"its manifest of {size >> 10} KiB does not fit beside those of the {len(others)} other plugins, all "
            f"together may have {MAX_MANIFESTS_BYTES >> 10} KiB; {_SHORTEN} or give it a runner of its own"
        )
    return manifest


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


def _size_of(manifest: PluginManifest) -> int:
    return len(manifest.model_dump_json().encode())


def _first_error(fault: ValidationError) -> str:
    first = fault.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "manifest"
    return f"{where}: {first['msg']}"
