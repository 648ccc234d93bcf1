"""One attempt at a job: fetch the media, run the sandbox, keep rows and record in step, and write how it ended.

Written first, acknowledged after: whatever this process does last, the queue or the record brings the job to somebody
who goes on. A fenced attempt discards what it has and says nothing more.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from forgesyte_chassis.bus import Delivery, Stored
from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob
from forgesyte_plugin_runner.devices.placement import place_job
from forgesyte_plugin_runner.living_sandboxes import LivingSandbox
from forgesyte_plugin_runner.plugins.plugin_limits import job_limits
from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason
from forgesyte_plugin_runner.workplace import Workplace
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Message, Row, Timings

from .attempt_state import AttemptState
from .committer import Committer
from .delivery_hold import DeliveryHold
from .ending import Ending
from .failure import Failure, missing_device, missing_input
from .fingerprint import fingerprint
from .jobspec import job_spec
from .live.live import LiveAttempt
from .recorder import Recorder
from .rowbuffer import RowBuffer
from .store_retry import StoreLost

log = structlog.get_logger(__name__)


class Attempt:
    """A claimed job while it runs here."""

    def __init__(self, place: Workplace, claimed: Stored, delivery: Delivery) -> None:
        self._place = place
        self._record = claimed.record
        self._job_id = JobId(claimed.record.job_id)
        self._stop = Stop()
        self._hold = DeliveryHold(delivery, place.clock.monotonic_s, place.bus.ack_wait_s)
        self._ledger = AttemptState(claimed.record)
        self._buffer = RowBuffer(segment_rows=place.settings.checkpoint_rows)
        self._is_dead = asyncio.Event()
        self._input_id = ""
        self._checkpoint_s: float | None = None
        self._recorder = Recorder(
            place.bus.jobs,
            claimed,
            ledger=self._ledger,
            hold=self._hold,
            stop=self._stop,
            clock=place.clock,
            every_s=place.settings.progress_every_s,
        )
        self._live = LiveAttempt(
            place.bus.live,
            lambda: self._recorder.record,
            ledger=self._ledger,
            leases=place.leases,
            stop=self._stop,
            clock=place.clock,
        )

    def adopt(self, delivery: Delivery) -> None:
        """Take the new handle of a message that was delivered again."""
        self._hold.adopt(delivery)

    @property
    def checkpoint_age_s(self) -> float | None:
        """Seconds since rows were committed last; None while no sandbox runs."""
        since_s = self._checkpoint_s
        return None if since_s is None else self._place.clock.monotonic_s() - since_s

    def release(self, *, even_finishing: bool = False) -> None:
        """Give the job back to the queue without blame; one of which only the ending is left when told so."""
        self._stop.ask(StopReason.RELEASED, even_finishing=even_finishing)

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
                result = await self._work()
                await ending.settle(result, input_id=self._input_id)
            finally:
                for keeper in keepers:
                    keeper.cancel()

    async def _work(self) -> SandboxOutcome | Failure | None:
        """What came of it; None when the attempt was stopped before the sandbox had an answer."""
        try:
            found, manifest = self._place.registry.ready(self._record.plugin_id)
            placement = place_job(self._record, manifest, self._place.devices.kinds)
            if placement is None:
                return missing_device(self._record)
            self._ledger.placed(placement)
            async with self._place.scratch.folder(f"{self._job_id}-{self._record.attempt}") as folder:
                await self._stop.guard(self._fetch(folder / "input"))
                return await self._run_sandbox(folder, found, manifest, placement.device)
        except BlobMissing:
            return missing_input(self._job_id)
        except (StoreLost, OSError) as fault:
            # Of this machine or its way to the store, a full scratch folder for one: no fault of the job.
            log.error("media not fetched", job_id=self._job_id, error=str(fault))
            self._stop.ask(StopReason.FAULT)
            return None
        except ForgeSyteError as fault:
            if fault.code is not Code.PLUGIN_UNAVAILABLE:
                raise
            log.warning("plugin failed before the job began", job_id=self._job_id, reason=fault.detail)
            self._stop.ask(StopReason.RELEASED)
            return None
        except Stopped:
            return None
        finally:
            self._is_dead.set()

    async def _fetch(self, media: Path) -> None:
        begun_s = self._place.clock.monotonic_s()
        await self._place.patience.persist(lambda: self._place.store.fetch_to(input_blob(self._job_id), media))
        self._ledger.add_stage_ms("fetch", 1000 * (self._place.clock.monotonic_s() - begun_s))
        # Now, because the sandbox may write into its input.
        self._input_id = await asyncio.to_thread(fingerprint, media)

    async def _run_sandbox(
        self, folder: Path, found: FoundPlugin, manifest: PluginManifest, device: str
    ) -> SandboxOutcome:
        place, name = self._place, self._record.plugin_id
        spec = job_spec(self._record, found.entry_point, folder / "input", device=device, settings=place.settings)
        limits = job_limits(place.settings, manifest)
        self._checkpoint_s = place.clock.monotonic_s()
        started: list[int] = []

        def on_started(pid: int) -> None:
            for dead in started:  # a warm one that had died before it took the job
                place.sandboxes.leave(dead)
            started.append(pid)
            place.sandboxes.enter(LivingSandbox(name, pid, limits.memory_bytes))

        order = Order(
            spec, limits, folder, on_message=self._on_message, on_started=on_started,
            cancel=self._stop.event, is_watched=self._live.is_watched,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            group.create_task(self._committer().run())
            telling = group.create_task(self._live.run())
            try:
                with place.registry.mark_running(name):
                    outcome = await place.job_runner(manifest, device)(order)
            finally:
                telling.cancel()
                self._is_dead.set()
                self._buffer.close()
                self._checkpoint_s = None
                for pid in started:
                    place.sandboxes.leave(pid)
                if started and self._stop.reason is not None:
                    place.metrics.stopped(name, self._stop.reason)
        place.metrics.sandbox_ran(name, manifest.isolation, outcome)
        await self._live.close()
        return outcome

    def _committer(self) -> Committer:
        return Committer(
            store=self._place.store,
            job_id=self._job_id,
            attempt=self._record.attempt,
            buffer=self._buffer,
            ledger=self._ledger,
            stop=self._stop,
            notice=self._on_commit,
            patience=self._place.patience,
            every_s=self._place.settings.checkpoint_every_s,
        )

    def _on_commit(self) -> None:
        self._checkpoint_s = self._place.clock.monotonic_s()
        self._recorder.notice()

    async def _on_message(self, message: Message) -> None:
        # Once stopped nothing is taken: a row that did not fit must not be followed by one that does.
        if self._stop.reason is not None:
            return
        if isinstance(message, Row):
            with suppress(Stopped):
                await self._stop.guard(self._buffer.put(message.frame_index, message.data))
            self._place.metrics.frame_processed(self._record.plugin_id)
        if isinstance(message, messages.Warning):
            with suppress(Stopped):
                await self._stop.guard(self._recorder.warnings.let_through())
        if isinstance(message, Timings) and (tools_ms := message.process):
            self._place.registry.record_frame(self._record.plugin_id, sum(tools_ms.values()))
        self._ledger.take(message)
        self._live.take(message)
        self._recorder.notice()
