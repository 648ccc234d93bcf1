"""All watched jobs, and what keeps them current: the feed of records, leases, and repeated reads.

The feed brings every change within milliseconds. Reading each watched record after a reconnect and every few seconds is
the safety net under it. A lease tells the job's runner that the job is watched; without one it sends nothing live.
"""

import asyncio
from contextlib import suppress

import structlog

from forgesyte_chassis.bus import Bus, Changed, LiveMessage
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_realtime_gateway.clients.client import Client
from forgesyte_realtime_gateway.clients.connections import ConnectionManager
from forgesyte_realtime_gateway.metrics import GatewayMetrics
from forgesyte_realtime_gateway.settings import GatewaySettings

from .job_watch import JobWatch
from .live_subscriptions import LiveSubscriptions

log = structlog.get_logger(__name__)


class JobWatches:
    """The jobs that are watched on this gateway; run() must be running.

    Attributes:
        subscriptions: the live subjects that the gateway listens to, kept in line with the watched jobs.
    """

    def __init__(
        self,
        bus: Bus,
        manager: ConnectionManager,
        settings: GatewaySettings,
        *,
        metrics: GatewayMetrics,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._manager = manager
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._watches: dict[JobId, JobWatch] = {}
        self._wake = asyncio.Event()
        self.subscriptions = LiveSubscriptions(
            bus.live, self._on_live, self._watches.keys, most_single=settings.single_watches
        )

    def __len__(self) -> int:
        return len(self._watches)

    async def join(self, client: Client, job_id: JobId, since: int | None = None) -> None:
        """Let a client watch a job: it gets the state as soon as that can be read, then everything newer.

        Args:
            client: a connected client.
            job_id: the job, in canonical form.
            since: the last revision the client has; while it is the current one, nothing is repeated.
        """
        watch = self.get(job_id)
        if watch is None:
            watch = self._watches[job_id] = JobWatch(job_id, self._manager, self._metrics, self._clock)
        client.jobs.add(job_id)
        watch.expect(client, since)
        try:
            await self.subscriptions.settle()  # listen before reading, so that nothing in between is lost
            await self._read(watch)
            await self._lease(watch)
        except ForgeSyteError as error:
            log.info("job not readable yet", job_id=job_id, error=str(error))
            self._wake.set()
            if watch.record is not None:
                watch.admit()

    def get(self, job_id: JobId) -> JobWatch | None:
        """Return a job's watch; None when no client watches the job."""
        return self._watches.get(job_id)

    async def leave(self, client: Client, job_id: JobId) -> None:
        """Stop sending a client a job's messages."""
        client.jobs.discard(job_id)
        watch = self.get(job_id)
        if watch is None:
            return
        watch.drop(client)
        if watch.is_empty:
            del self._watches[job_id]
            with suppress(ForgeSyteError):
                await self.subscriptions.settle()

    async def leave_all(self, client: Client) -> None:
        """Take a client out of every job it watches."""
        for job_id in tuple(client.jobs):
            await self.leave(client, job_id)

    async def run(self) -> None:
        """Follow the records and renew the leases until cancelled."""
        remove = self._bus.on_reconnect(self._wake.set)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(), name="feed")
                group.create_task(self._keep_leases(), name="leases")
                group.create_task(self._keep_reading(), name="re-reading")
        finally:
            remove()
            await self.subscriptions.close()

    def _on_live(self, job_id: JobId, message: LiveMessage) -> None:
        watch = self._watches.get(job_id)
        if watch is not None:
            watch.take_live(message)

    async def _follow(self) -> None:
        while True:
            try:
                async with self._bus.jobs.watch() as feed:
                    async for change in feed:
                        watch = self.get(change.job_id)
                        if watch is not None:
                            await self._take_change(watch, change)
            except ForgeSyteError as error:
                log.warning("job feed interrupted", error=str(error))
            await asyncio.sleep(self._settings.retry_s)

    async def _take_change(self, watch: JobWatch, change: Changed) -> None:
        if change.record is None:
            watch.vanish()
            return
        if change.is_anew:
            watch.reset()
        attempt = watch.record.attempt if watch.record is not None else 0
        self._take(watch, change.record, change.revision)
        if change.record.attempt != attempt:
            with suppress(ForgeSyteError):
                await self._lease(watch)  # the new owner does not know yet that the job is watched

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_every_s)
            with suppress(ForgeSyteError):
                for watch in tuple(self._watches.values()):
                    await self._lease(watch)

    async def _lease(self, watch: JobWatch) -> None:
        if watch.record is not None and not watch.has_ended:
            await self._bus.control.watch(watch.job_id)

    async def _keep_reading(self) -> None:
        pause_s = self._settings.reread_every_s
        while True:
            await is_set_within(self._wake, pause_s)
            self._wake.clear()
            pause_s = self._settings.reread_every_s
            try:
                await self._read_all()
            except ForgeSyteError as error:
                log.info("watched records not read, retrying", error=str(error))
                pause_s = self._settings.retry_s

    async def _read_all(self) -> None:
        await self.subscriptions.settle()
        for watch in tuple(self._watches.values()):
            if watch.is_owed or not watch.has_ended:
                await self._read(watch)
                await asyncio.sleep(0)

    async def _read(self, watch: JobWatch) -> None:
        stored = await self._bus.jobs.get(watch.job_id)
        if stored is None:
            self._take(watch, None, 0)
        else:
            self._take(watch, stored.record, stored.revision)

    def _take(self, watch: JobWatch, record: JobRecord | None, revision: int) -> None:
        watch.take_record(record, revision)
        # A client that gets the state before the gateway listens would miss the messages in between.
        if self.subscriptions.hears(watch.job_id):
            watch.admit()
