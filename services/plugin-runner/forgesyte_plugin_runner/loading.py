"""Learns at start what each plugin is: its manifest is read, and its environment validated, in a sandbox.

A plugin that is broken or lacks something is data, a state with a reason; it never keeps another plugin from starting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from pydantic import ValidationError

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.outcome import SandboxOutcome

from .discovery import FoundPlugin
from .workplace import Workplace

log = structlog.get_logger(__name__)

_TRIES = 3


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
            is_ready = await _load(place, plugin)
        if is_ready:
            await on_ready(plugin)

    async with asyncio.TaskGroup() as group:
        for plugin in found:
            group.create_task(load(plugin))


async def _load(place: Workplace, plugin: FoundPlugin) -> bool:
    if plugin.fault is not None:
        return _fail(place, plugin, plugin.fault)
    outcome = await _ask(place, plugin)
    told = outcome.result or {}
    try:
        manifest = None if told.get("manifest") is None else PluginManifest.model_validate(told["manifest"])
    except ValidationError as fault:
        return _fail(place, plugin, f"its manifest is not valid: {_first_error(fault)}")
    if not outcome.ok:
        return _refuse(place, plugin, outcome, manifest)
    if manifest is None:
        return _fail(place, plugin, "its sandbox gave no manifest")
    if manifest.name != plugin.name:
        reason = f"its manifest says '{manifest.name}' and its entry point '{plugin.name}'; make both the same"
        return _fail(place, plugin, reason)
    place.registry.register(plugin, manifest)
    log.info("plugin ready", plugin=plugin.name, version=manifest.version, tools=[tool.name for tool in manifest.tools])
    return True


async def _ask(place: Workplace, plugin: FoundPlugin) -> SandboxOutcome:
    spec = {"entry_point": plugin.entry_point, "distribution": plugin.distribution, "name": plugin.name}
    folder = place.scratch.folder / f"manifest-{plugin.name}"
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    for _ in range(_TRIES):
        outcome = await place.zygote.run("manifest", spec, limits=place.settings.limits(), scratch=folder)
        if outcome.kind != "released":
            break
    return outcome


def _refuse(place: Workplace, plugin: FoundPlugin, outcome: SandboxOutcome, manifest: PluginManifest | None) -> bool:
    text = outcome.error or f"its sandbox ended as {outcome.kind}"
    if manifest is not None and manifest.name != plugin.name:
        manifest = None
    if outcome.code is Code.PLUGIN_UNAVAILABLE:
        place.registry.mark_unavailable(plugin, text, manifest)
        log.warning("plugin unavailable", plugin=plugin.name, reason=text)
        return False
    return _fail(place, plugin, f"{outcome.error_type}: {text}" if outcome.error_type else text, manifest)


def _fail(place: Workplace, plugin: FoundPlugin, reason: str, manifest: PluginManifest | None = None) -> bool:
    place.registry.mark_failed(plugin, reason, manifest)
    log.warning("plugin failed", plugin=plugin.name, reason=reason)
    return False


def _first_error(fault: ValidationError) -> str:
    first = fault.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "manifest"
    return f"{where}: {first['msg']}"
