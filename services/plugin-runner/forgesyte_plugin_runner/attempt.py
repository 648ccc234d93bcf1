"""One attempt at a job: fetch the media, run the sandbox, keep rows and record in step, and write how it ended.

Written first, acknowledged after: whatever this process does last, the queue or the record brings the job to somebody
who goes on. A fenced attempt discards what it has and says nothing more.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from forgesyte_chassis.blobs import BlobMissing
from forgesyte_chassis.bus import Delivery, Stored
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.subjects import input_blob
from forgesyte_sandbox.limits import Limits
from forgesyte_sandbox.messages import Message, Row
from forgesyte_sandbox.outcome import SandboxOutcome

from .committer import Committer
from .ending import Ending
from .failure import Failure, missing_input
from .hold import Hold
from .ledger import Ledger
from .recorder import Recorder
from .rowbuffer import RowBuffer
from .stopping import Stop, Stopped, StopReason
from .storefaults import StoreLost
from .workplace import Workplace

log = structlog.get_logger(__name__)


class Attempt:
    """A claimed job while it runs here."""

    def __init__(self, place: Workplace, claimed: Stored, delivery: Delivery) -> None:
        self._place = place
        self._record = claimed.record
        self._job_id = JobId(claimed.record.job_id)
        self._stop = Stop()
        self._hold = Hold(delivery, place.clock.monotonic, place.bus.ack_wait_s)
        self._ledger = Ledger(claimed.record)
        self._buffer = RowBuffer(segment_rows=place.settings.checkpoint_rows)
        self._is_dead = asyncio.Event()
        self._recorder = Recorder(
            place.bus.jobs,
            claimed,
            ledger=self._ledger,
            hold=self._hold,
            stop=self._stop,
            clock=place.clock,
            every_s=place.settings.progress_every_s,
        )

    def adopt(self, delivery: Delivery) -> None:
        """Take the new handle of a message that was delivered again."""
        self._hold.adopt(delivery)

    def release(self) -> None:
        """Give the job back to the queue without blame, unless only its ending is left."""
        self._stop.ask(StopReason.RELEASED)

    async def stop_if_ended(self) -> bool:
        """Read the record; when the job is no longer ours, give True once its sandbox is dead, else False.

        Raises:
            BusUnavailable: the record could not be read.
        """
        await self._recorder.look()
        if self._stop.reason is None:
            return False
        await self._is_dead.wait()
        return True

    async def run(self) -> None:
        """Bring the attempt to its end; every end is in the record before the message is settled."""
        ending = Ending(self._place, self._recorder, self._hold, self._stop, self._ledger)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._hold.run()), group.create_task(self._recorder.run())]
            try:
                await ending.settle(await self._work())
            finally:
                for keeper in keepers:
                    keeper.cancel()

    async def _work(self) -> SandboxOutcome | Failure | None:
        """What came of it; None when the attempt was stopped before the sandbox had an answer."""
        try:
            found, manifest = self._place.registry.ready(self._record.plugin_id)
            async with self._place.scratch.job(self._job_id, self._record.attempt) as folder:
                await self._stop.guard(self._fetch(folder / "input"))
                return await self._run_sandbox(folder, found.entry_point, self._limits(manifest))
        except BlobMissing:
            return missing_input(self._job_id)
        except StoreLost as fault:
            log.error("media not fetched", job_id=self._job_id, error=str(fault))
            self._stop.ask(StopReason.RELEASED)
            return None
        except Stopped:
            return None
        finally:
            self._is_dead.set()

    async def _fetch(self, media: Path) -> None:
        begun_s = self._place.clock.monotonic()
        await self._place.patience.persist(lambda: self._place.store.fetch_to(input_blob(self._job_id), media))
        self._ledger.add_stage_ms("fetch", 1000 * (self._place.clock.monotonic() - begun_s))

    async def _run_sandbox(self, folder: Path, entry_point: str, limits: Limits) -> SandboxOutcome:
        record = self._record
        spec = {
            "entry_point": entry_point,
            "plugin": record.plugin_id,
            "tools": list(record.tools),
            "options": record.options,
            "input": str(folder / "input"),
            "device": record.device,
            "job_id": record.job_id,
            "skip_frames": list(record.skip_frames),
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(self._committer().run())
            try:
                return await self._place.zygote.run(
                    "job", spec, limits=limits, scratch=folder, on_message=self._on_message, cancel=self._stop.event
                )
            finally:
                self._is_dead.set()
                self._buffer.close()

    def _committer(self) -> Committer:
        return Committer(
            store=self._place.store,
            job_id=self._job_id,
            attempt=self._record.attempt,
            buffer=self._buffer,
            ledger=self._ledger,
            stop=self._stop,
            notice=self._recorder.notice,
            patience=self._place.patience,
            every_s=self._place.settings.checkpoint_every_s,
        )

    async def _on_message(self, message: Message) -> None:
        # Once stopped nothing is taken: a row that did not fit must not be followed by one that does.
        if self._stop.reason is not None:
            return
        if isinstance(message, Row):
            with suppress(Stopped):
                await self._stop.guard(self._buffer.put(message.frame_index, message.data))
        self._ledger.take(message)
        self._recorder.notice()

    def _limits(self, manifest: PluginManifest) -> Limits:
        """The service's limits, but for those the plugin asks for itself."""
        limits, asked = self._place.settings.limits(), manifest.limits
        return replace(
            limits,
            frame_timeout_s=asked.frame_timeout_s or limits.frame_timeout_s,
            memory_bytes=asked.memory_bytes or limits.memory_bytes,
        )
