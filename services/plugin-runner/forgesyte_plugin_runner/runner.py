"""One life of a runner: it starts its parts, works until it is told to stop, and drains.

Draining means: no more pulls, running jobs get time to finish, unfinished ones are given back, and the heartbeat is
removed last. What does not fit into that time is left to the queue, which hands it to another runner.
"""

import asyncio
from dataclasses import dataclass

import structlog

from forgesyte_chassis.bus import CANCEL, WATCH, Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.allowed_pages import AllowedPages
from forgesyte_chassis.web.ops import Health, ops_app, serve_ops, serve_ops_on
from forgesyte_contracts.ids import JobId, RunnerId
from forgesyte_contracts.runners import GPU
from forgesyte_sandbox.parent.installed_plugins import find_plugins
from forgesyte_sandbox.parent.pool import WarmPool
from forgesyte_sandbox.parent.zygote import Zygote

from .attempt.attempt import Attempt
from .attempt.live.watch_leases import WatchLeases
from .attempt.resources import AttemptReports, AttemptResources
from .attempt.store_retry import PatientStore
from .devices.devices import DeviceMonitor
from .dispatch import JobDispatcher
from .fault_backoff import FaultBackoff
from .gauges import RunnerGauges
from .heartbeat import HeartbeatWriter
from .job_sandboxes import JobSandboxes
from .metrics import RunnerMetrics
from .offers import PluginOffers
from .plugin_labels import PluginLabels
from .plugins.dependencies import DependencyChecker
from .plugins.loading import PluginLoader
from .plugins.registry import PluginRegistry
from .plugins.reloading import Reloader
from .pulling import WorkPuller
from .settings import RunnerSettings
from .slots import Slots
from .suspects.calm import CalmMachine
from .suspects.door import Door, Suspects
from .suspects.suspect_pulling import SuspectPuller

log = structlog.get_logger(__name__)

RELEASE_LIMIT_S = 3.0
"""Seconds for giving jobs back after the drain; less than the margin that the main loop leaves."""

FINISH_LIMIT_S = 1.0
"""The part of it left to jobs whose work is done and whose result is being written; then they are given back too."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What the app opened for one life of a runner and closes after it. `warm` is None without loaded sandboxes."""

    bus: Bus
    store: Store
    scratch: Scratch
    zygote: Zygote
    disk: DiskWatch
    warm: WarmPool | None = None


class Runner:
    """The parts of a runner and their life."""

    def __init__(
        self, runner_id: RunnerId, *, settings: RunnerSettings, opened: Connections, lifetime: Lifetime, clock: Clock
    ) -> None:
        self._runner_id = runner_id
        self._settings = settings
        self._bus = opened.bus
        self._zygote = opened.zygote
        self._disk = opened.disk
        self._lifetime = lifetime
        self._counted = new_registry("plugin-runner")
        self._health = Health()
        self._plugins = PluginRegistry(clock)
        self._devices = DeviceMonitor(clock)
        self._leases = WatchLeases(clock)
        self._backoff = FaultBackoff(clock)
        self._sandboxes = JobSandboxes(opened.zygote, opened.warm)
        self._slots: Slots[Attempt] = Slots(settings.slots, self._on_free, of_device={GPU: settings.gpu_slots})
        labels = PluginLabels(lambda: {plugin.name for plugin in self._plugins.list_all()})
        self._metrics = RunnerMetrics(self._counted, labels)
        calm = CalmMachine(self._bus.runners, clock, lambda: opened.zygote.calm_s)
        self._is_loading = True
        self._door = Door(
            settings.suspects,
            calm,
            clock,
            is_loading=lambda: self._is_loading,
            runs_alone=self._slots.runs_alone,
        )
        dispatcher = JobDispatcher(
            runner_id,
            self._slots,
            self._door,
            self._resources(opened, clock),
            is_draining=lifetime.stopping.is_set,
        )
        self._puller: WorkPuller[Attempt] | SuspectPuller[Attempt]
        if settings.suspects is Suspects.ONLY:
            self._puller = SuspectPuller(self._bus, self._slots, dispatcher.handle, self._may_pull)
        else:
            self._puller = WorkPuller(self._bus.work, self._slots, dispatcher.handle, self._may_pull)
        self._heartbeat = HeartbeatWriter(
            runner_id,
            clock.now(),
            self._bus.runners,
            self._slots,
            self._devices,
            self._plugins,
            self._sandboxes,
            calm,
            settings.suspects is not Suspects.NEVER,
        )
        self._offers = PluginOffers(self._plugins, self._devices, self._bus.work, self._puller, self._heartbeat.nudge)
        self._loader = PluginLoader(settings, self._plugins, opened.zygote, DependencyChecker(), self._devices)
        self._reloader = Reloader(
            self._loader, settings.plugins, self._sandboxes.retire, self._offers.offer, self._heartbeat.nudge
        )
        self._counted.register(
            RunnerGauges(
                labels, self._slots, self._plugins, self._sandboxes, self._devices, lambda: self._bus.reconnects
            )
        )

    def _resources(self, opened: Connections, clock: Clock) -> AttemptResources:
        return AttemptResources(
            bus=opened.bus,
            clock=clock,
            settings=self._settings,
            scratch=opened.scratch,
            storage=PatientStore(opened.store, self._settings.store_patience_s, clock, self._has_disk_fault),
            sandboxes=self._sandboxes,
            devices=self._devices,
            leases=self._leases,
            reports=AttemptReports(self._plugins, self._metrics, self._backoff),
        )

    async def run(self) -> None:
        """Start, work until told to stop, drain."""
        self._health.add_check("bus", self._bus.check)
        self._health.add_check("storage", self._disk.check)
        self._health.add_check("runner", self._backoff.check)
        self._bus.on_reconnect(self._puller.sweep)
        await self._devices.measure_first()
        devices = [device.name for device in self._devices.devices]
        log.info("runner starting", runner_id=self._runner_id, slots=self._slots.count, devices=devices)
        async with asyncio.TaskGroup() as group:
            pulling = group.create_task(self._puller.run())
            parts = (self._heartbeat.run(), self._follow_hints(), self._listen(), self._load(), self._serve_ops())
            keepers = (self._devices.run(), self._zygote.keep())
            services = [group.create_task(part) for part in (*parts, *keepers)]
            await self._lifetime.stopping.wait()
            try:
                await self._drain(pulling)
            finally:
                for service in services:
                    service.cancel()
        await self._heartbeat.remove()
        log.info("runner ended", runner_id=self._runner_id)

    def _has_disk_fault(self) -> bool:
        return self._disk.fault is not None

    def _on_free(self) -> None:
        self._puller.sweep()

    def _may_pull(self, plugin: str) -> bool:
        is_well = not self._backoff.is_resting and not self._has_disk_fault()
        return is_well and self._door.is_open and self._plugins.is_available(plugin)

    async def _drain(self, pulling: asyncio.Task[None]) -> None:
        self._health.set_ready(False)
        self._heartbeat.drain()
        self._puller.stop()
        await self._bus.work.return_kept()
        drain_s = self._settings.drain_s
        log.info("runner draining", jobs=len(self._slots.jobs), drain_s=drain_s)
        await asyncio.wait((pulling,), timeout=drain_s)
        self._slots.release_all()
        await asyncio.wait((pulling,), timeout=FINISH_LIMIT_S)
        self._slots.release_all(even_finishing=True)
        _, late = await asyncio.wait((pulling,), timeout=RELEASE_LIMIT_S - FINISH_LIMIT_S)
        if late:
            log.warning("jobs left to the queue", jobs=len(self._slots.jobs))
            pulling.cancel()

    async def _load(self) -> None:
        await self._loader.load_all(find_plugins(self._settings.plugins), self._offers.offer)
        self._is_loading = False
        self._heartbeat.nudge()
        self._health.set_ready(not self._lifetime.stopping.is_set())
        # After all plugins were loaded once, so that none is loaded twice at the same time.
        await self._reloader.run()

    async def _follow_hints(self) -> None:
        async with self._bus.work.hints() as hints:
            async for plugin, device in hints:
                self._puller.hint(plugin, device)

    async def _listen(self) -> None:
        control = self._bus.control
        async with control.on_job(self._on_control), control.on_plugin(self._reloader.ask):
            await asyncio.Event().wait()

    async def _on_control(self, job_id: JobId, verb: str) -> bool:
        """Handle a control message about a job; the answer to a cancel is that this runner ends the job now."""
        if verb == WATCH:
            self._leases.renew(job_id)
            return False
        job = self._slots.jobs.get(job_id)
        return verb == CANCEL and job is not None and job.cancel()

    async def _serve_ops(self) -> None:
        settings = self._settings
        app = ops_app(self._health, self._counted)
        if settings.ops_fd >= 0:
            await serve_ops_on(app, settings.ops_fd)
        else:
            allowed = AllowedPages.from_settings(settings)
            await serve_ops(app, settings.ops_host, settings.ops_port, self._lifetime, allowed=allowed)
