"""Puts a runner together, runs it, and takes it down in order.

Down means: no more pulls, the running jobs get their time, those that are not done are given back, the heartbeat goes
last. What does not fit into that time is left to the queue, which brings it to another runner.
"""

import asyncio
import socket
from contextlib import AsyncExitStack

import structlog
from prometheus_client import CollectorRegistry

from forgesyte_chassis.blobs import Store
from forgesyte_chassis.bus import CANCEL, Bus, BusUnavailable
from forgesyte_chassis.health import Health, ops_app, serve_ops
from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.ids import JobId, new_runner_id
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.parent import Zygote
from forgesyte_sandbox.zygote_client import ZygoteFailed

from .attempt import Attempt
from .discovery import FoundPlugin, find_plugins
from .dispatch import Dispatcher
from .heartbeat import Heartbeat
from .loading import load_plugins
from .pulling import Puller
from .scratch import Scratch
from .settings import RunnerSettings
from .slots import Slots
from .workplace import Workplace

log = structlog.get_logger(__name__)

RELEASE_LIMIT_S = 3.0
"""What giving the jobs back may take after the drain; less than the margin that the main loop leaves us."""

DEVICE = "cpu"
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
        zygote = await _start_zygote(stack)
        place = Workplace(runner_id, settings, bus, Store.open(settings.store_url), zygote, scratch)
        await Runner(place, lifetime).run()


async def _start_zygote(stack: AsyncExitStack) -> Zygote:
    try:
        return await stack.enter_async_context(Zygote.start())
    except ZygoteFailed as fault:
        text = f"The sandbox could not be started: {fault}. `forgesyte doctor` says what this machine lacks."
        raise ForgeSyteError(Code.INTERNAL, text) from fault


class Runner:
    """The parts of a runner in their life."""

    def __init__(self, place: Workplace, lifetime: Lifetime) -> None:
        self._place = place
        self._lifetime = lifetime
        self._health = Health()
        self._slots: Slots[Attempt] = Slots(place.settings.slots, self._on_free)
        self._heartbeat = Heartbeat(place, self._slots)
        self._puller = Puller(place.bus.work, self._slots, Dispatcher(place, self._slots).handle)

    async def run(self) -> None:
        """Start, work until told to stop, drain."""
        self._health.add_check("bus", lambda: self._place.bus.is_connected or "the bus is away")
        self._place.bus.on_reconnect(self._puller.sweep)
        log.info("runner starts", runner_id=self._place.runner_id, slots=self._slots.count)
        async with asyncio.TaskGroup() as group:
            pulling = group.create_task(self._puller.run())
            parts = (self._heartbeat.run(), self._follow_hints(), self._listen(), self._load(), self._serve_ops())
            services = [group.create_task(part) for part in parts]
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

    async def _drain(self, pulling: asyncio.Task[None]) -> None:
        self._health.set_ready(False)
        self._heartbeat.drain()
        self._puller.stop()
        drain_s = self._place.settings.drain_s
        log.info("runner drains", jobs=len(self._slots.jobs), drain_s=drain_s)
        await asyncio.wait((pulling,), timeout=drain_s)
        self._slots.release_all()
        _, late = await asyncio.wait((pulling,), timeout=RELEASE_LIMIT_S)
        if late:
            log.warning("jobs left to the queue", jobs=len(self._slots.jobs))
            pulling.cancel()

    async def _load(self) -> None:
        await load_plugins(self._place, find_plugins(self._place.settings.plugins), self._offer)
        self._heartbeat.nudge()
        self._health.set_ready(not self._lifetime.stopping.is_set())

    async def _offer(self, plugin: FoundPlugin) -> None:
        """Pull for a plugin that is ready, as soon as the bus has its consumer."""
        while True:
            try:
                await self._place.bus.work.ensure_consumer(plugin.name, DEVICE)
                break
            except BusUnavailable:
                await asyncio.sleep(_RETRY_EVERY_S)
        self._heartbeat.nudge()
        self._puller.offer(plugin.name, DEVICE)

    async def _follow_hints(self) -> None:
        async with self._place.bus.work.hints() as hints:
            async for plugin, device in hints:
                self._puller.hint(plugin, device)

    async def _listen(self) -> None:
        async with self._place.bus.control.on_job(self._on_word):
            await asyncio.Event().wait()

    async def _on_word(self, job_id: JobId, verb: str) -> bool:
        """A word about a job; the record decides what is done about it, so anybody may send it."""
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
        app = ops_app(self._health, CollectorRegistry())
        await serve_ops(app, settings.ops_host, settings.ops_port, self._lifetime)
