"""What this runner knows of its plugins: state, reason, manifest and counts.

FAILED and UNAVAILABLE are sticky: they stay until the runner is started again. Nothing here talks to the bus or to a
sandbox; the heartbeat publishes snapshot() and the puller asks available().
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError

from .discovery import FoundPlugin

_MAX_REASON_CHARS = 4000


@dataclass(slots=True)
class _Entry:
    found: FoundPlugin
    state: PluginState
    reason: str | None = None
    manifest: PluginManifest | None = None
    success_count: int = 0
    error_count: int = 0
    jobs_running: int = 0


class PluginRegistry:
    """The plugins of one runner by name. Plugins whose manifest is not read yet are not in it."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def register(self, found: FoundPlugin, manifest: PluginManifest) -> None:
        """Enter a plugin whose manifest was read and whose environment was validated: it is ready."""
        self._entries[found.name] = _Entry(found, PluginState.INITIALIZED, manifest=manifest)

    def mark_failed(self, found: FoundPlugin, reason: str, manifest: PluginManifest | None = None) -> None:
        """Enter a plugin that is broken; `reason` says how and what to do."""
        self._entries[found.name] = _Entry(found, PluginState.FAILED, reason[:_MAX_REASON_CHARS], manifest)

    def mark_unavailable(self, found: FoundPlugin, reason: str, manifest: PluginManifest | None = None) -> None:
        """Enter a plugin that lacks something here; `reason` names it."""
        self._entries[found.name] = _Entry(found, PluginState.UNAVAILABLE, reason[:_MAX_REASON_CHARS], manifest)

    def available(self) -> list[PluginName]:
        """Names of the plugins that can take a job now, sorted."""
        ready = (PluginState.INITIALIZED, PluginState.RUNNING)
        return sorted(entry.found.name for entry in self._entries.values() if entry.state in ready)

    def ready(self, name: str) -> tuple[FoundPlugin, PluginManifest]:
        """Where an available plugin is found, and its manifest.

        Raises:
            ForgeSyteError: PLUGIN_UNAVAILABLE with the reason when the plugin is not ready here.
        """
        entry = self._entries.get(name)
        if entry is None or entry.manifest is None or name not in self.available():
            reason = (entry.reason if entry else None) or "it is not installed there"
            raise ForgeSyteError(
                Code.PLUGIN_UNAVAILABLE, f"The plugin '{name}' can not run here: {reason}.", plugin=name
            )
        return entry.found, entry.manifest

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show the plugin as RUNNING while a job is on it."""
        entry = self._entries[name]
        entry.jobs_running += 1
        self._show(entry)
        try:
            yield
        finally:
            entry.jobs_running -= 1
            self._show(entry)

    def record_success(self, name: str) -> None:
        """Count a job that completed."""
        self._entries[name].success_count += 1

    def record_error(self, name: str) -> None:
        """Count a job or an attempt that the plugin broke; it stays available."""
        self._entries[name].error_count += 1

    def snapshot(self) -> tuple[PluginOnRunner, ...]:
        """Every plugin as the heartbeat tells it, in the order of names."""
        return tuple(
            PluginOnRunner(
                name=entry.found.name,
                state=entry.state,
                reason=entry.reason,
                manifest=entry.manifest,
                success_count=entry.success_count,
                error_count=entry.error_count,
            )
            for _, entry in sorted(self._entries.items())
        )

    def _show(self, entry: _Entry) -> None:
        if entry.state in (PluginState.INITIALIZED, PluginState.RUNNING):
            entry.state = PluginState.RUNNING if entry.jobs_running else PluginState.INITIALIZED
