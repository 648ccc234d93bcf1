"""One attempt at a job: fetch the media, run the sandbox, keep rows and record in step, and write how it ended.

The record is written first and the message acknowledged afterwards: whatever this process does last, the queue or the
record brings the job to a runner that continues it. A fenced attempt discards what it has and writes nothing more.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from forgesyte_chassis.bus import Delivery, Stored
from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob
from forgesyte_plugin_runner.devices.placement import place_job
from forgesyte_plugin_runner.plugins.plugin_grants import grants_for
from forgesyte_plugin_runner.plugins.plugin_limits import job_limits
from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Message, Row, Timings

from .decode_trial import DecodeTrial
from .delivery_hold import DeliveryHold
from .ending import Ending
from .failure import Failure, missing_device, missing_input
from .fingerprint import fingerprint
from .jobspec import job_spec
from .live.live import LiveAttempt
from .recorder import Recorder
from .resources import AttemptResources
from .rows.committer import Committer
from .rows.rowbuffer import BufferedRow, RowBuffer
from .state.attempt_state import AttemptState
from .store_retry import StoreLost

log = structlog.get_logger(__name__)

LAST_ROWS_S = 1.0
"""How long the ending of a job that is cancelled or given back waits for the rows that are here; the store takes them
in milliseconds."""


class Attempt:
    """A claimed job while it runs here."""

    def __init__(self, resources: AttemptResources, claimed: Stored, delivery: Delivery) -> None:
        bus, clock = resources.bus, resources.clock
        self._resources = resources
        self._clock = clock
        self._metrics, self._plugins = resources.reports.metrics, resources.reports.plugins
        self._record = claimed.record
        self._job_id = JobId(claimed.record.job_id)
        self._stop = Stop()
        self._hold = DeliveryHold(delivery, clock, bus.ack_wait_s)
        self._state = AttemptState(claimed.record)
        self._buffer = RowBuffer(segment_rows=resources.settings.checkpoint_rows)
        self._input_id = ""
        self._checkpoint_s: float | None = None
        self._recorder = Recorder(
            bus.jobs,
            claimed,
            state=self._state,
            hold=self._hold,
            stop=self._stop,
            clock=clock,
            every_s=resources.settings.progress_every_s,
        )
        self._live = LiveAttempt(
            bus.live,
            lambda: self._recorder.record,
            state=self._state,
            leases=resources.leases,
            stop=self._stop,
            clock=clock,
        )

    def adopt(self, delivery: Delivery) -> None:
        """Take the new handle of a message that was redelivered."""
        self._hold.adopt(delivery)

    @property
    def record(self) -> JobRecord:
        """The record as this attempt last wrote it."""
        return self._recorder.record

    @property
    def checkpoint_age_s(self) -> float | None:
        """Seconds since rows were last committed; None while no sandbox runs."""
        since_s = self._checkpoint_s
        return None if since_s is None else self._clock.monotonic_s() - since_s

    def release(self, *, even_finishing: bool = False) -> None:
        """Give the job back to the queue without blame; also one that only needs to be ended, if so asked."""
        self._stop.ask(StopReason.RELEASED, even_finishing=even_finishing)

    def cancel(self) -> bool:
        """Cancel the job, and return whether that is being done; False when the attempt ends for another reason."""
        self._stop.ask(StopReason.CANCELLED)
        return self._stop.reason is StopReason.CANCELLED

    async def run(self) -> Delivery | None:
        """Bring the attempt to its end; every end is in the record before the message is settled.

        Returns:
            The message, when the sandbox has died and the job is to be tried again; None when it is settled.
        """
        ending = Ending(
            self._recorder,
            hold=self._hold,
            stop=self._stop,
            state=self._state,
            storage=self._resources.storage,
            reports=self._resources.reports,
        )
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._hold.run()), group.create_task(self._recorder.run())]
            try:
                result = await self._work()
                await ending.settle(result, input_id=self._input_id)
            finally:
                for keeper in keepers:
                    keeper.cancel()
        return ending.passed_on

    async def _work(self) -> SandboxOutcome | Failure | None:
        """Return the result; None when the attempt was stopped before the sandbox had an answer."""
        try:
            found, manifest = self._plugins.ready(self._record.plugin_id)
            placement = place_job(self._record, manifest, self._resources.devices.kinds)
            if placement is None:
                return missing_device(self._record)
            self._state.placed(placement)
            async with self._resources.scratch.folder(f"{self._job_id}-{self._record.attempt}") as folder:
                await self._stop.guard(self._fetch(folder / "input"))
                outcome, trial = await self._run_sandbox(folder, found, manifest, placement.device)
                return await self._settled(outcome, trial)
        except BlobMissing:
            return missing_input(self._job_id)
        except (StoreLost, OSError) as fault:
            # A fault of this machine or of its way to the store, such as a full scratch folder, and not of the job.
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

    async def _fetch(self, media: Path) -> None:
        begun_s = self._clock.monotonic_s()
        await self._resources.storage.persist(lambda store: store.fetch_to(input_blob(self._job_id), media))
        self._state.add_stage_ms("fetch", 1000 * (self._clock.monotonic_s() - begun_s))
        # Now, because the sandbox may write into its input where the kernel has no wall.
        self._input_id = await asyncio.to_thread(fingerprint, media)

    async def _run_sandbox(
        self, folder: Path, found: FoundPlugin, manifest: PluginManifest, device: str
    ) -> tuple[SandboxOutcome, DecodeTrial]:
        sandboxes, settings, name = self._resources.sandboxes, self._resources.settings, self._record.plugin_id
        spec = job_spec(self._record, found.entry_point, folder / "input", device=device, settings=settings)
        limits = job_limits(settings, manifest)
        self._checkpoint_s = self._clock.monotonic_s()
        async with asyncio.TaskGroup() as group:
            committing = group.create_task(self._committer().run())
            telling = group.create_task(self._live.run())
            with sandboxes.living.follow(self._job_id, name, limits.memory_bytes) as sandbox:
                order = Order(
                    spec, limits, on_message=self._on_message, on_started=sandbox.started, on_watch=sandbox.watch,
                    cancel=self._stop.event, is_watched=self._live.is_watched, grants=grants_for(manifest, device),
                )  # fmt: skip
                try:
                    with self._plugins.mark_running(name):
                        outcome = await sandboxes.runner_for(manifest, device)(order)
                finally:
                    telling.cancel()
                    self._buffer.close()
                    self._checkpoint_s = None
                    if sandbox.has_started and self._stop.reason is not None:
                        self._metrics.stopped(name, self._stop.reason)
            await self._commit_last(committing)
        self._metrics.sandbox_ran(name, manifest.isolation, outcome)
        await self._live.close()
        return outcome, DecodeTrial(self._record, spec, order, sandboxes.zygote.run)

    async def _commit_last(self, committing: asyncio.Task[None]) -> None:
        """Wait until the rows that are here are committed; once the attempt is stopped, no longer than LAST_ROWS_S."""
        with suppress(Stopped):
            await self._stop.guard(_end_of(committing))
        if self._stop.reason is not None:
            await asyncio.wait({committing}, timeout=LAST_ROWS_S)
            committing.cancel()

    async def _settled(self, outcome: SandboxOutcome, trial: DecodeTrial) -> SandboxOutcome | Failure:
        if self._stop.reason is not None:
            return outcome
        settled = await trial.settle(outcome)
        if isinstance(settled, Failure):
            self._metrics.died_decoding(self._record.plugin_id, outcome)
        return settled

    def _committer(self) -> Committer:
        return Committer(
            storage=self._resources.storage,
            job_id=self._job_id,
            attempt=self._record.attempt,
            buffer=self._buffer,
            state=self._state,
            stop=self._stop,
            on_commit=self._on_commit,
            every_s=self._resources.settings.checkpoint_every_s,
        )

    def _on_commit(self) -> None:
        self._checkpoint_s = self._clock.monotonic_s()
        self._recorder.notice()

    async def _on_message(self, message: Message) -> None:
        # Once stopped nothing is taken: a row that did not fit must not be followed by one that does.
        if self._stop.reason is not None:
            return
        if isinstance(message, Row):
            if not await self._put(message):
                return
            self._metrics.frame_processed(self._record.plugin_id)
        if isinstance(message, messages.Warning):
            with suppress(Stopped):
                await self._stop.guard(self._recorder.warnings.let_through())
        if isinstance(message, Timings) and (tools_ms := message.process):
            self._plugins.record_frame(self._record.plugin_id, sum(tools_ms.values()))
        self._state.take(message)
        self._live.take(message)
        self._recorder.notice()

    async def _put(self, row: Row) -> bool:
        """Return whether the row is kept: one that is not must not be counted either."""
        try:
            return await self._stop.guard(self._buffer.put(BufferedRow(row.frame_index, row.data, row.time_us)))
        except Stopped:
            return False


async def _end_of(task: asyncio.Task[None]) -> None:
    """Wait for a task, which a cancelled wait leaves alone."""
    await asyncio.wait({task})
