"""Puts a runner together, runs it, and takes it down in order.

Down means: no more pulls, the running jobs get their time, those that are not done are given back, the heartbeat goes
last. What does not fit into that time is left to the queue, which brings it to another runner.
"""

import asyncio
import socket
from contextlib import AsyncExitStack

import structlog
from prometheus_client import CollectorRegistry

from forgesyte_chassis.bus import CANCEL, WATCH, Bus, BusUnavailable
from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.waiting import retry
from forgesyte_chassis.web.ops import Health, ops_app, serve_ops, serve_ops_on
from forgesyte_contracts.ids import JobId, new_runner_id
from forgesyte_contracts.runners import CPU, GPU
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin, find_plugins
from forgesyte_sandbox.parent.pool import WarmPool, WarmRules
from forgesyte_sandbox.parent.zygote import Zygote

from .attempt.attempt import Attempt
from .attempt.live.watch_leases import WatchLeases
from .devices.devices import DeviceMonitor
from .devices.placement import devices_for
from .dispatch import JobDispatcher
from .gauges import RunnerGauges
from .heartbeat import HeartbeatWriter
from .metrics import RunnerMetrics
from .plugin_labels import PluginLabels
from .plugins.loading import load_plugins
from .plugins.registry import PluginRegistry
from .plugins.reloading import Reloader
from .pulling import WorkPuller
from .settings import RunnerSettings
from .slots import Slots
from .workplace import Workplace

log = structlog.get_logger(__name__)

RELEASE_LIMIT_S = 3.0
"""What giving the jobs back may take after the drain; less than the margin that the main loop leaves us."""

FINISH_LIMIT_S = 1.0
"""What of it is left to jobs whose work is done and whose result is being written; then they are given back too."""

_RETRY_EVERY_S = 0.5
_STOP_LIMIT_S = 1.0


async def serve(lifetime: Lifetime, settings: RunnerSettings) -> None:
    """Run one life of a runner until `lifetime.stopping` is set.

    Raises:
        ForgeSyteError: the bus can not be reached or the sandbox not be started.
        OSError: there is no room for scratch.
    """
    runner_id = new_runner_id(socket.gethostname())
    token = settings.bus_token.get_secret_value() if settings.bus_token else None
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Bus.connect(settings.bus_url, name=runner_id, token=token))
        await bus.ensure()
        scratch = await stack.enter_async_context(Scratch.open(settings.scratch_path, runner_id))
        zygote = await stack.enter_async_context(Zygote.start())
        warm = await stack.enter_async_context(
            WarmPool.open(
                zygote, folder=scratch.path, slots=settings.slots, rules=WarmRules(idle_s=settings.warm_idle_s)
            )
        )
        clock, counted = SystemClock(), new_registry("plugin-runner")
        plugins = PluginRegistry(clock)
        labels = PluginLabels(lambda: {plugin.name for plugin in plugins.list_all()})
        place = Workplace(
            runner_id=runner_id,
            settings=settings,
            bus=bus,
            store=Store.open(settings.store_url, call_limit_s=settings.store_call_s),
            zygote=zygote,
            scratch=scratch,
            metrics=RunnerMetrics(counted, labels),
            devices=DeviceMonitor(clock.monotonic_s),
            registry=plugins,
            clock=clock,
            leases=WatchLeases(clock.monotonic_s),
            warm=warm,
        )
        await Runner(place, lifetime, counted, labels).run()


class Runner:
    """The parts of a runner in their life."""

    def __init__(self, place: Workplace, lifetime: Lifetime, counted: CollectorRegistry, labels: PluginLabels) -> None:
        self._place = place
        self._lifetime = lifetime
        self._counted = counted
        self._health = Health()
        of_device = {GPU: place.settings.gpu_slots}
        self._slots: Slots[Attempt] = Slots(place.settings.slots, self._on_free, of_device=of_device)
        self._heartbeat = HeartbeatWriter(place, self._slots)
        handle = JobDispatcher(place, self._slots).handle
        self._puller = WorkPuller(place.bus.work, self._slots, handle, self._may_pull)
        self._reloader = Reloader(place, self._offer, self._heartbeat.nudge)
        counted.register(
            RunnerGauges(
                labels,
                self._slots,
                place.registry,
                place.sandboxes,
                place.devices,
                place.waiting_sandboxes,
                lambda: place.bus.reconnects,
            )
        )

    async def run(self) -> None:
        """Start, work until told to stop, drain."""
        self._health.add_check("bus", lambda: self._place.bus.is_connected or "the bus is away")
        self._health.add_check("runner", self._place.fitness.check)
        self._place.bus.on_reconnect(self._puller.sweep)
        await self._place.devices.first_look()
        devices = [device.name for device in self._place.devices.devices]
        log.info("runner starts", runner_id=self._place.runner_id, slots=self._slots.count, devices=devices)
        async with asyncio.TaskGroup() as group:
            pulling = group.create_task(self._puller.run())
            parts = (self._heartbeat.run(), self._follow_hints(), self._listen(), self._load(), self._serve_ops())
            services = [group.create_task(part) for part in (*parts, self._place.devices.run())]
            await self._lifetime.stopping.wait()
            try:
                await self._drain(pulling)
            finally:
                for service in services:
                    service.cancel()
        await self._heartbeat.remove()
        log.info("runner ended", runner_id=self._place.runner_id)

    def _on_free(self) -> None:
        self._puller.sweep()

    def _may_pull(self, plugin: str) -> bool:
        return not self._place.fitness.rests and self._place.registry.is_available(plugin)

    async def _drain(self, pulling: asyncio.Task[None]) -> None:
        self._health.set_ready(False)
        self._heartbeat.drain()
        self._puller.stop()
        drain_s = self._place.settings.drain_s
        log.info("runner drains", jobs=len(self._slots.jobs), drain_s=drain_s)
        await asyncio.wait((pulling,), timeout=drain_s)
        self._slots.release_all()
        await asyncio.wait((pulling,), timeout=FINISH_LIMIT_S)
        self._slots.release_all(even_finishing=True)
        _, late = await asyncio.wait((pulling,), timeout=RELEASE_LIMIT_S - FINISH_LIMIT_S)
        if late:
            log.warning("jobs left to the queue", jobs=len(self._slots.jobs))
            pulling.cancel()

    async def _load(self) -> None:
        await load_plugins(self._place, find_plugins(self._place.settings.plugins), self._offer)
        self._heartbeat.nudge()
        self._health.set_ready(not self._lifetime.stopping.is_set())
        # After the first looks, so that no plugin is looked at twice at once.
        await self._reloader.run()

    async def _offer(self, plugin: FoundPlugin) -> None:
        """Pull for a plugin that is ready, on every device that will do, as soon as the bus has its consumers."""
        _, manifest = self._place.registry.ready(plugin.name)
        offered = devices_for(manifest, self._place.devices.kinds)
        for device in offered:
            await self._ensure_consumer(plugin.name, device)
        self._heartbeat.nudge()
        for device in (CPU, GPU):
            if device in offered:
                self._puller.offer(plugin.name, device)
            else:
                self._puller.withdraw(plugin.name, device)

    async def _ensure_consumer(self, plugin: str, device: str) -> None:
        make = self._place.bus.work.ensure_consumer
        await retry(lambda: make(plugin, device), on=BusUnavailable, every_s=_RETRY_EVERY_S)

    async def _follow_hints(self) -> None:
        async with self._place.bus.work.hints() as hints:
            async for plugin, device in hints:
                self._puller.hint(plugin, device)

    async def _listen(self) -> None:
        control = self._place.bus.control
        async with control.on_job(self._on_word), control.on_plugin(self._reloader.ask):
            await asyncio.Event().wait()

    async def _on_word(self, job_id: JobId, verb: str) -> bool:
        """A word about a job; the record decides what is done about it, so anybody may send it."""
        if verb == WATCH:
            self._place.leases.renew(job_id)
            return False
        job = self._slots.jobs.get(job_id)
        if verb != CANCEL or job is None:
            return False
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                return await job.stop_if_ended()
        except (BusUnavailable, TimeoutError):
            return False

    async def _serve_ops(self) -> None:
        settings = self._place.settings
        app = ops_app(self._health, self._counted)
        if settings.ops_fd >= 0:
            await serve_ops_on(app, settings.ops_fd)
        else:
            await serve_ops(app, settings.ops_host, settings.ops_port, self._lifetime)
