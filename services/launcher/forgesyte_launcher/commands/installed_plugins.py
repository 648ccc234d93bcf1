"""`forgesyte plugins list` without a server: the installed plugins.

Each manifest is read in a sandbox, as a runner does it; this process never imports a plugin.
"""

from dataclasses import dataclass

from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.interruption import Interrupted, unless_stopped
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import stdout, table, warn
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin, find_plugins
from forgesyte_sandbox.parent.read_manifest import ReadPlugin, read_manifest
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits

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


def list_plugins(settings: LauncherSettings, *, as_json: bool) -> ExitCode:
    """Print every installed plugin; a broken one is a row with its reason, not a failure of the command."""

    async def main(lifetime: Lifetime) -> ExitCode:
        try:
            lines = await unless_stopped(lifetime.stopping, read_plugins())
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


async def read_plugins() -> list[PluginLine]:
    """Read the manifest of every installed plugin, one after another, in name order.

    Raises:
        ForgeSyteError: INTERNAL when no sandbox can be started.
    """
    found = find_plugins()
    if not found:
        return []
    async with Zygote.start() as zygote:
        return [await _read(zygote, plugin) for plugin in found]


def require_installed(name: str) -> None:
    """Check that a plugin of this name is installed, without importing or starting anything.

    Raises:
        ForgeSyteError: PLUGIN_UNKNOWN, which names the installed ones.
    """
    names = [plugin.name for plugin in find_plugins()]
    if name not in names:
        known = ", ".join(names) or "none"
        raise ForgeSyteError(Code.PLUGIN_UNKNOWN, f"there is no plugin {name!r} here; installed: {known}.", plugin=name)


async def _read(zygote: Zygote, plugin: FoundPlugin) -> PluginLine:
    if plugin.fault is not None:
        return PluginLine(plugin.name, PluginState.FAILED, plugin.distribution, reason=plugin.fault)
    return line_of(plugin, await read_manifest(zygote, plugin, limits=Limits()))


def line_of(plugin: FoundPlugin, read: ReadPlugin) -> PluginLine:
    """Return the line of a plugin that was read; a broken one keeps its version and tools where they are known."""
    manifest = read.manifest
    return PluginLine(
        plugin.name,
        _state(read),
        plugin.distribution,
        manifest.version if manifest else None,
        tuple(tool.name for tool in manifest.tools) if manifest else (),
        read.reason,
    )


def _state(read: ReadPlugin) -> PluginState:
    if read.is_ready:
        return PluginState.INITIALIZED
    is_missing_something = read.fault is None and read.outcome.code is Code.PLUGIN_UNAVAILABLE
    return PluginState.UNAVAILABLE if is_missing_something else PluginState.FAILED
