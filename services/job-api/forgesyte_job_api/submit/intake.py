"""From a request with media to a job: media into the store, the probe, the record, the work message.

Whatever can be judged without the media is judged before it is read. Until the record exists, a refusal, a fault or a
client that disconnects leaves nothing behind; from then on the job exists, and a work message that could not be
published is sent by the reconciler.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.requests import Request

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch, storage_full
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store, StoreUnavailable
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import DecodeFacts, JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import Catalog
from forgesyte_job_api.metrics import ApiMetrics
from forgesyte_job_api.projection import Projection
from forgesyte_job_api.request_counting import note_accepted
from forgesyte_job_api.settings import JobApiSettings

from .mediakind import MediaKind
from .probe import Prober
from .submission import Submission, checked
from .submit_fields import SubmitFields, form_fields, merged
from .upload import RAW, Upload, announced_bytes, form_of, refuse_announced_size
from .upload_counting import counted_upload
from .upload_sample import Sample

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted[FieldsT: SubmitFields]:
    """A request that became a job: the record with which the job begins, and the fields of query and form together."""

    record: JobRecord
    fields: FieldsT


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns requests into jobs; what it works with is what a submit needs."""

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

    async def accept[FieldsT: SubmitFields](
        self, request: Request, kind: MediaKind, query: FieldsT
    ) -> Accepted[FieldsT]:
        """Accept a request as a job over this kind of media.

        Raises:
            ForgeSyteError: the request was refused, and nothing of it is kept.
            ClientDisconnect: the client disconnected in the middle; likewise.
        """
        accepted = await self._accept(request, kind, query)
        note_accepted(request)
        self.metrics.submitted(accepted.record.plugin_id, kind.name)
        return accepted

    async def _accept[FieldsT: SubmitFields](
        self, request: Request, kind: MediaKind, query: FieldsT
    ) -> Accepted[FieldsT]:
        is_raw = form_of(request, kind) == RAW
        refuse_announced_size(request, kind, self.settings.max_upload_bytes)
        if is_raw:
            self._check(query, kind)
        self.disk.require_room(announced_bytes(request))
        if (fault := self.bus.fault) is not None:
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, f"No job can be accepted: {fault}. Try again shortly.")
        key: str = request.state.key_name
        pending, most = self.projection.pending, self.settings.max_pending_jobs
        pending.require_room(key, most)
        with ExitStack() as entered:
            async with self._blaming_the_disk(), self.scratch.folder("upload") as folder:
                upload = self._new_upload(kind, folder)
                try:
                    with counted_upload(self.metrics):
                        fields = await self._receive(upload, request, query, is_raw=is_raw)
                        submission = self._check(fields, kind)
                        facts = await self._probe(upload, submission)
                    entered.enter_context(pending.entering(upload.job_id, key, most))
                except BaseException:
                    await upload.drop()
                    raise
            record = await self._create(upload, submission, facts, key=key)
        await self._publish(record, submission)
        return Accepted(record, fields)

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

    def _received(self, size_bytes: int) -> None:
        self.metrics.received(size_bytes)
        self.disk.require_room()

    def _check(self, fields: SubmitFields, kind: MediaKind) -> Submission:
        return checked(fields, kind, self.catalog, max_options_bytes=self.settings.max_options_bytes)

    def _new_upload(self, kind: MediaKind, folder: Path) -> Upload:
        return Upload(
            store=self.store,
            job_id=new_job_id(time_ms=int(self.clock.now().timestamp() * 1000)),
            kind=kind,
            sample=Sample(folder),
            max_bytes=self.settings.max_upload_bytes,
            idle_s=self.settings.upload_idle_s,
            max_field_bytes=self.settings.max_field_bytes,
            received=self._received,
        )

    async def _receive[FieldsT: SubmitFields](
        self, upload: Upload, request: Request, query: FieldsT, *, is_raw: bool
    ) -> FieldsT:
        if is_raw:
            await upload.take_raw(request, query.filename)
            return query

        def refuse_early(so_far: dict[str, list[str]]) -> None:
            fields = merged(query, form_fields(so_far, type(query)))
            if fields.plugin_id is not None and fields.tool:
                self._check(fields, upload.kind)

        await upload.take_form(request, before_file=refuse_early)
        return merged(query, form_fields(upload.fields, type(query)))

    async def _probe(self, upload: Upload, submission: Submission) -> DecodeFacts:
        assert upload.media is not None  # noqa: S101  an upload without media was refused
        sample = await upload.sample.finish()
        return await self.prober.probe(sample, upload.kind, video_stream=submission.video_stream)

    async def _create(self, upload: Upload, submission: Submission, facts: DecodeFacts, *, key: str) -> JobRecord:
        assert upload.media is not None  # noqa: S101  an upload without media was refused
        job_id = upload.job_id
        record = submission.record(job_id, upload.media, facts, self.clock.now(), key=key)
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
            bytes=upload.media.size_bytes,
        )
        return record

    async def _publish(self, record: JobRecord, submission: Submission) -> None:
        job_id = JobId(record.job_id)
        try:
            await self.bus.work.publish(job_id, submission.plugin, submission.device.kind)
        except Exception:  # an HTTP border: the record exists, so whatever the queue did, the answer is 202
            log.warning("work not published, the reconciler will send it", job_id=job_id, exc_info=True)
