"""What this runner knows about its plugins: state, reason, manifest, counts and times.

Nothing here talks to the bus or to a sandbox: loading registers plugins, attempts report what became of their jobs, the
heartbeat and the metrics read. Each call is atomic under a reader-writer lock; lifecycle.py defines the legal moves.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin

from .crash_memory import Crash, CrashMemory
from .lifecycle import PluginLifecycle
from .rwlock import ReadWriteLock

MEAN_OF_FRAMES = 10


@dataclass(slots=True)
class _Entry:
    found: FoundPlugin
    manifest: PluginManifest | None = None
    life: PluginLifecycle = field(default_factory=PluginLifecycle)
    crashes: CrashMemory = field(default_factory=CrashMemory)
    frames_ms: deque[float] = field(default_factory=lambda: deque(maxlen=MEAN_OF_FRAMES))
    success_count: int = 0
    error_count: int = 0
    jobs_running: int = 0
    ready_since_s: float | None = None
    state_since: datetime | None = None
    last_used: datetime | None = None
    last_success: datetime | None = None


class PluginRegistry:
    """The plugins of one runner by name. A plugin that has not been loaded yet is not in it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = ReadWriteLock()
        self._entries: dict[str, _Entry] = {}

    def register(self, found: FoundPlugin, manifest: PluginManifest | None) -> None:
        """Enter what loading a plugin found: it is LOADED, whatever it was before; its counts continue.

        Args:
            found: where it is.
            manifest: None when it could not be read; mark_failed or mark_unavailable then gives the reason.
        """
        with self._lock.write():
            entry = self._entries.setdefault(found.name, _Entry(found))
            self._move(entry, PluginState.LOADED)
            entry.found, entry.manifest, entry.ready_since_s = found, manifest, None
            entry.crashes.forget()

    def mark_initialized(self, name: str) -> None:
        """Mark a plugin as validated and ready; RUNNING if a job is still using it. Raises IllegalPluginMove."""
        with self._lock.write():
            entry = self._entries[name]
            self._move(entry, PluginState.RUNNING if entry.jobs_running else PluginState.INITIALIZED)
            entry.ready_since_s = self._clock.monotonic_s()

    def mark_failed(self, name: str, reason: str) -> None:
        """Mark a plugin as broken; `reason` says how. Raises IllegalPluginMove when it is FAILED or UNAVAILABLE."""
        self._mark_broken(name, PluginState.FAILED, reason)

    def mark_unavailable(self, name: str, reason: str) -> None:
        """Mark a plugin as lacking what `reason` names. Raises IllegalPluginMove when it is FAILED or UNAVAILABLE."""
        self._mark_broken(name, PluginState.UNAVAILABLE, reason)

    @contextmanager
    def mark_running(self, name: str) -> Iterator[None]:
        """Show a ready plugin as RUNNING for as long as a sandbox runs a job of it."""
        self._change_jobs(name, +1)
        try:
            yield
        finally:
            self._change_jobs(name, -1)

    def record_success(self, name: str) -> None:
        """Count a completed job; earlier deaths are forgotten."""
        with self._lock.write():
            entry = self._entries[name]
            entry.success_count += 1
            entry.last_success = self._clock.now()
            entry.crashes.forget()

    def record_error(self, name: str) -> None:
        """Count a job that the plugin broke; it stays available."""
        with self._lock.write():
            self._entries[name].error_count += 1

    def record_crash(self, name: str, *, input_id: str, job_id: str, what: str) -> str | None:
        """Note that a job killed the plugin's sandbox; the plugin is FAILED when too many did (crash_memory.py).

        Returns:
            The reason if this death made it FAILED, else None.
        """
        with self._lock.write():
            entry = self._entries[name]
            reason = entry.crashes.record(input_id, Crash(job_id, what, self._clock.monotonic_s()))
            if reason is None or not entry.life.state.is_ready:
                return None
            self._move(entry, PluginState.FAILED, reason)
            entry.ready_since_s = None
            return entry.life.reason

    def record_frame(self, name: str, elapsed_ms: float) -> None:
        """Note the milliseconds a frame took in all tools of a job; figures that make no sense are ignored."""
        if not (isfinite(elapsed_ms) and elapsed_ms >= 0):
            return
        with self._lock.write():
            self._entries[name].frames_ms.append(elapsed_ms)

    def get_status(self, name: str) -> PluginOnRunner | None:
        """Return one plugin's current status; None when it was never loaded."""
        with self._lock.read():
            entry = self._entries.get(name)
            return None if entry is None else self._status(entry)

    def list_all(self) -> tuple[PluginOnRunner, ...]:
        """Return every plugin, broken ones included, ordered by name."""
        with self._lock.read():
            return tuple(self._status(entry) for _, entry in sorted(self._entries.items()))

    def list_available(self) -> list[PluginName]:
        """Return the names of the plugins that can take a job now, sorted."""
        with self._lock.read():
            return sorted(entry.found.name for entry in self._entries.values() if entry.life.state.is_ready)

    def is_available(self, name: str) -> bool:
        """Whether the plugin can take a job now."""
        with self._lock.read():
            entry = self._entries.get(name)
            return entry is not None and entry.life.state.is_ready

    def last_successes(self) -> dict[PluginName, datetime]:
        """Return when each plugin last completed a job here; those that never did are left out."""
        with self._lock.read():
            return {e.found.name: e.last_success for e in self._entries.values() if e.last_success is not None}

    def ready(self, name: str) -> tuple[FoundPlugin, PluginManifest]:
        """Return where an available plugin is found, and its manifest.

        Raises:
            ForgeSyteError: PLUGIN_UNAVAILABLE with the reason when the plugin is not ready here.
        """
        with self._lock.read():
            entry = self._entries.get(name)
            if entry is not None and entry.manifest is not None and entry.life.state.is_ready:
                return entry.found, entry.manifest
            reason = (entry.life.reason if entry else None) or "it is not installed"
        raise ForgeSyteError(Code.PLUGIN_UNAVAILABLE, f"The plugin '{name}' cannot run here: {reason}.", plugin=name)

    def _mark_broken(self, name: str, state: PluginState, reason: str) -> None:
        with self._lock.write():
            entry = self._entries[name]
            self._move(entry, state, reason)
            entry.ready_since_s = None

    def _move(self, entry: _Entry, to: PluginState, reason: str | None = None) -> None:
        before = entry.life.state
        entry.life.move(to, reason)
        if entry.state_since is None or to is not before:
            entry.state_since = self._clock.now()

    def _change_jobs(self, name: str, by: int) -> None:
        with self._lock.write():
            entry = self._entries[name]
            entry.jobs_running += by
            entry.last_used = self._clock.now()
            wanted = PluginState.RUNNING if entry.jobs_running else PluginState.INITIALIZED
            if entry.life.state.is_ready and entry.life.state is not wanted:
                self._move(entry, wanted)

    def _status(self, entry: _Entry) -> PluginOnRunner:
        since_s, frames_ms = entry.ready_since_s, entry.frames_ms
        return PluginOnRunner(
            name=entry.found.name,
            state=entry.life.state,
            state_since=entry.state_since,
            reason=entry.life.reason,
            manifest=entry.manifest,
            success_count=entry.success_count,
            error_count=entry.error_count,
            uptime_seconds=None if since_s is None else round(max(self._clock.monotonic_s() - since_s, 0.0), 1),
            last_used=entry.last_used,
            last_execution_time_ms=round(frames_ms[-1], 1) if frames_ms else None,
            avg_execution_time_ms=round(sum(frames_ms) / len(frames_ms), 1) if frames_ms else None,
        )
