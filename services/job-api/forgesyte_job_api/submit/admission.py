"""What everything that becomes a job passes, wherever its media comes from: room, the probe, the record, the message.

Until the record exists, a refusal, a fault or a client that disconnects leaves nothing behind; from then on the job
exists, and a work message that could not be published is sent by the reconciler.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch, storage_full
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store, StoreUnavailable
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import DecodeFacts, InputFacts, JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import Catalog
from forgesyte_job_api.metrics import ApiMetrics
from forgesyte_job_api.projection import Projection
from forgesyte_job_api.settings import JobApiSettings

from .mediakind import MediaKind
from .probe import Prober
from .submission import Submission, checked
from .submit_fields import SubmitFields
from .upload_sample import SampledFile

log = structlog.get_logger(__name__)


class ArrivingMedia(Protocol):
    """Media on its way into the store, under the id of the job that may come of it."""

    job_id: JobId
    kind: MediaKind
    media: InputFacts | None

    async def sampled(self) -> SampledFile:
        """Return what the probe looks at, once all of it is stored."""
        ...

    async def drop(self) -> None:
        """Remove what was stored, because no job is made of it."""
        ...


Taken = tuple[Submission, DecodeFacts]
"""What is to be done with media that was taken, and what the probe found in it."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Makes jobs of media; what it works with is what a new job needs."""

    bus: Bus
    store: Store
    settings: JobApiSettings
    clock: Clock
    metrics: ApiMetrics
    catalog: Catalog
    projection: Projection
    scratch: Scratch
    disk: DiskWatch
    prober: Prober

    def check(self, fields: SubmitFields, kind: MediaKind) -> Submission:
        """Check what is wanted of media of this kind; see submission.checked."""
        return checked(fields, kind, self.catalog, max_options_bytes=self.settings.max_options_bytes)

    def require_room(self, key: str, size_bytes: int) -> None:
        """Check that one more job of this key can be accepted, before anything of it is stored.

        Args:
            key: the API key's name.
            size_bytes: how large its media is, as far as that is known.

        Raises:
            ForgeSyteError: STORAGE_FULL, SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS.
        """
        self.disk.require_room(size_bytes)
        if (fault := self.bus.fault) is not None:
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, f"No job can be accepted: {fault}. Try again shortly.")
        self.projection.pending.require_room(key, self.settings.max_pending_jobs)

    async def admit[MediaT: ArrivingMedia](
        self,
        key: str,
        begin: Callable[[JobId, Path], MediaT],
        take: Callable[[MediaT], Awaitable[Taken]],
        *,
        is_counted_first: bool = False,
    ) -> JobRecord:
        """Take media and make a job of it.

        Args:
            key: the API key's name.
            begin: makes the media of a new job id, with a scratch folder that is there until it is probed.
            take: stores it, checks what is wanted of it, and probes it.
            is_counted_first: whether it counts as a pending job of the key before it is taken, because taking it costs
                the client nothing; an upload counts once it has arrived.

        Raises:
            ForgeSyteError: it was refused, and nothing of it is kept. What `take` raises, propagates; likewise.
        """
        pending, most = self.projection.pending, self.settings.max_pending_jobs
        with ExitStack() as entered:
            async with self._blaming_the_disk(), self.scratch.folder("upload") as folder:
                media = begin(new_job_id(time_ms=int(self.clock.now().timestamp() * 1000)), folder)
                counted = pending.entering(media.job_id, key, most)
                if is_counted_first:
                    entered.enter_context(counted)
                try:
                    submission, facts = await take(media)
                    if not is_counted_first:
                        entered.enter_context(counted)
                except BaseException:
                    await media.drop()
                    raise
            record = await self._create(media, submission, facts, key=key)
        await self._publish(record, submission)
        self.metrics.submitted(record.plugin_id, media.kind.name)
        return record

    async def probe(self, media: ArrivingMedia, submission: Submission) -> DecodeFacts:
        """Probe media that is stored; see Prober.probe."""
        return await self.prober.probe(await media.sampled(), media.kind, video_stream=submission.video_stream)

    @asynccontextmanager
    async def _blaming_the_disk(self) -> AsyncIterator[None]:
        """Refuse as STORAGE_FULL what failed because a folder takes nothing, which the watch may not have seen yet."""
        try:
            yield
        except (StoreUnavailable, OSError) as error:
            fault = await self.disk.look()
            if fault is None:
                raise
            raise storage_full(fault.text) from error

    async def _create(self, media: ArrivingMedia, submission: Submission, facts: DecodeFacts, *, key: str) -> JobRecord:
        assert media.media is not None  # noqa: S101  what has no media was refused
        job_id = media.job_id
        record = submission.record(job_id, media.media, facts, self.clock.now(), key=key)
        try:
            stored = await self.bus.jobs.create(record)
        except BusUnavailable as error:
            # The write may still take effect, so the media stays: the orphan sweep judges later.
            text = f"{error.detail} Before you submit again, check /v1/jobs/{job_id}: if it exists, it was accepted."
            raise ForgeSyteError(error.code, text, job_id=job_id) from error
        self.projection.apply(job_id, stored.record, stored.revision)
        log.info(
            "job accepted",
            job_id=job_id,
            plugin=submission.plugin,
            tools=submission.tools,
            job_type=record.job_type,
            bytes=media.media.size_bytes,
        )
        return record

    async def _publish(self, record: JobRecord, submission: Submission) -> None:
        job_id = JobId(record.job_id)
        try:
            await self.bus.work.publish(job_id, submission.plugin, submission.device.kind)
        except Exception:  # an HTTP border: the record exists, so whatever the queue did, the answer is 202
            log.warning("work not published, the reconciler will send it", job_id=job_id, exc_info=True)
