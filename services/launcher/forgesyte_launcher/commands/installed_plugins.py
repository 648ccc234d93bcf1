"""`forgesyte plugins list` without a server: the installed plugins.

Each manifest is read in a sandbox, as a runner does it; this process never imports a plugin.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.settings import settings_with
from forgesyte_contracts.plugins import PluginManifest, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.interruption import Interrupted, unless_stopped
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import stdout, table, warn
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.plugins.dependencies import DependencyChecker
from forgesyte_plugin_runner.plugins.loading import lack_of
from forgesyte_plugin_runner.plugins.plugin_grants import device_of, grants_for
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin, find_plugins
from forgesyte_sandbox.parent.read_manifest import ReadPlugin, read_manifest
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.wall_rules import NO_GRANTS

from .command_runs import ExitCode, run_command


@dataclass(frozen=True, slots=True)
class PluginLine:
    """One installed plugin and, if it cannot be used, the reason."""

    name: str
    state: PluginState
    distribution: str
    version: str | None = None
    tools: tuple[str, ...] = ()
    reason: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "name": self.name,
            "version": self.version,
            "state": self.state.value,
            "tools": list(self.tools),
            "reason": self.reason,
            "distribution": self.distribution,
        }


def list_plugins(settings: LauncherSettings, *, as_json: bool, permitted: tuple[str, ...] = ()) -> ExitCode:
    """Print every installed plugin; a broken one is a row with its reason, not a failure of the command.

    Args:
        settings: the launcher's.
        as_json: whether JSON is printed and no table.
        permitted: plugins that may have what their manifests ask for.
    """

    async def main(lifetime: Lifetime) -> ExitCode:
        try:
            lines = await unless_stopped(lifetime.stopping, read_plugins(runner_settings(settings, permitted)))
        except Interrupted:
            return ExitCode.INTERRUPTED
        warn("plugins installed here (--server URL shows those of a running server):")
        if as_json:
            stdout().print_json(data=[line.as_dict() for line in lines])
        elif lines:
            rows = [
                (line.name, line.version or "", line.state, ", ".join(line.tools), line.reason or "") for line in lines
            ]
            table("plugin", "version", "state", "tools", "reason", rows=rows)
        else:
            warn("no plugin is installed; install one in this environment, for example forgesyte-motion-detector")
        return ExitCode.OK

    return run_command(main, name="plugins", settings=settings)


def runner_settings(settings: LauncherSettings, permitted: tuple[str, ...] = ()) -> RunnerSettings:
    """Return the settings that a runner started here has, with what the command line says about the wall.

    Raises:
        ForgeSyteError: REQUEST_INVALID when a setting in the environment is invalid.
    """
    degraded = {"allow_degraded_sandbox": True} if settings.allow_degraded_sandbox else {}
    named = {"permitted_plugins": permitted} if permitted else {}
    try:
        return settings_with(RunnerSettings, **degraded, **named)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise ForgeSyteError(Code.REQUEST_INVALID, f"FORGESYTE_RUNNER_* settings: {faults}") from None


async def read_plugins(settings: RunnerSettings) -> list[PluginLine]:
    """Read the manifest of every installed plugin, one after another, in name order.

    Raises:
        ForgeSyteError: INTERNAL when no sandbox can be started.
    """
    async with Zygote.start(wall=settings.own_wall()) as zygote:
        return await read_plugins_in(zygote, settings)


async def read_plugins_in(zygote: Zygote, settings: RunnerSettings) -> list[PluginLine]:
    """Read the manifest of every installed plugin in sandboxes of this zygote; find out what each one lacks here."""
    dependencies, devices = DependencyChecker(), DeviceMonitor(SystemClock())
    await devices.measure_first()

    async def find_lack(manifest: PluginManifest) -> str | None:
        return await lack_of(manifest, settings, dependencies, devices.devices)

    return [await _read(zygote, plugin, settings.limits(), find_lack) for plugin in find_plugins()]


def require_installed(name: str) -> None:
    """Check that a plugin of this name is installed, without importing or starting anything.

    Raises:
        ForgeSyteError: PLUGIN_UNKNOWN, which names the installed ones.
    """
    names = [plugin.name for plugin in find_plugins()]
    if name not in names:
        known = ", ".join(names) or "none"
        raise ForgeSyteError(Code.PLUGIN_UNKNOWN, f"there is no plugin {name!r} here; installed: {known}.", plugin=name)


async def _read(
    zygote: Zygote, plugin: FoundPlugin, limits: Limits, find_lack: Callable[[PluginManifest], Awaitable[str | None]]
) -> PluginLine:
    if plugin.fault is not None:
        return PluginLine(plugin.name, PluginState.FAILED, plugin.distribution, reason=plugin.fault)
    read = await read_manifest(zygote, plugin, limits=limits)
    manifest = read.manifest
    if manifest is None:
        return line_of(plugin, read)
    lack = await find_lack(manifest)
    grants = grants_for(manifest, device_of(manifest))
    if lack is None and not read.is_ready and grants != NO_GRANTS:
        read = await read_manifest(zygote, plugin, limits=limits, grants=grants)
    return line_of(plugin, read, lack)


def line_of(plugin: FoundPlugin, read: ReadPlugin, lack: str | None = None) -> PluginLine:
    """Return the line of a plugin that was read; a broken one keeps its version and tools where they are known.

    Args:
        plugin: what was read.
        read: what came of it.
        lack: what its manifest asks for and it does not get; None when it gets everything.
    """
    manifest = read.manifest
    return PluginLine(
        plugin.name,
        _state(read) if lack is None else PluginState.UNAVAILABLE,
        plugin.distribution,
        manifest.version if manifest else None,
        tuple(tool.name for tool in manifest.tools) if manifest else (),
        _reason(read) if lack is None else lack,
    )


def _reason(read: ReadPlugin) -> str | None:
    """Return why a plugin is not ready, with the type of what it raised."""
    kind = read.outcome.error_type
    return f"{kind}: {read.reason}" if kind and read.reason and _state(read) is PluginState.FAILED else read.reason


def _state(read: ReadPlugin) -> PluginState:
    if read.is_ready:
        return PluginState.INITIALIZED
    is_missing_something = read.fault is None and read.outcome.code is Code.PLUGIN_UNAVAILABLE
    return PluginState.UNAVAILABLE if is_missing_something else PluginState.FAILED
