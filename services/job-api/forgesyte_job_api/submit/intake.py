"""From a request with media to a job: media into the store, the look at it, the record, the work message.

Whatever can be judged without the media is judged before it is read. Until the record exists a refusal, a fault or
a client that goes away leaves nothing behind; from then on the job exists, and a work message that could not be
published is sent by the reconciler.
"""

from contextlib import ExitStack
from pathlib import Path

import structlog
from starlette.requests import Request

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import DecodeFacts, JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.request_counting import note_accepted
from forgesyte_job_api.state import ApiState

from .mediakind import MediaKind
from .submission import Submission, checked
from .submit_fields import SubmitFields, form_fields, merged
from .upload import RAW, Upload, form_of, refuse_announced_size
from .upload_sample import Sample

log = structlog.get_logger(__name__)


class Intake[FieldsT: SubmitFields]:
    """One request that may become a job of this kind.

    Attributes:
        fields: what it says beside its media; a form's fields are added while it is read.
    """

    def __init__(self, request: Request, state: ApiState, kind: MediaKind, query: FieldsT) -> None:
        self._request = request
        self._state = state
        self._kind = kind
        self._key: str = request.state.key_name
        self.fields = query

    async def accept(self) -> JobRecord:
        """Take the request in; gives the record with which its job begins.

        Raises:
            ForgeSyteError: it was refused, and nothing of it is left.
            ClientDisconnect: the client went away in the middle; likewise.
        """
        record = await self._accept()
        note_accepted(self._request)
        self._state.metrics.submitted(record.plugin_id, self._kind.name)
        return record

    async def _accept(self) -> JobRecord:
        state = self._state
        is_raw = form_of(self._request, self._kind) == RAW
        refuse_announced_size(self._request, self._kind, state.settings.max_upload_bytes)
        if is_raw:
            self._check(self.fields)
        if not state.bus.is_connected:
            text = "the bus is away, so no job can be accepted; try again shortly"
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text)
        pending, key, most = state.projection.pending, self._key, state.settings.max_pending_jobs
        pending.require_room(key, most)
        with ExitStack() as entered:
            async with state.scratch.folder("upload") as folder:
                upload = self._new_upload(folder)
                try:
                    with state.metrics.counting_upload():
                        submission = await self._take(upload, is_raw=is_raw)
                        facts = await self._look(upload, folder)
                    entered.enter_context(pending.entering(upload.job_id, key, most))
                except BaseException:
                    await upload.drop()
                    raise
            record = await self._create(upload, submission, facts)
        await self._publish(record, submission)
        return record

    def _check(self, fields: SubmitFields) -> Submission:
        limit = self._state.settings.max_options_bytes
        return checked(fields, self._kind, self._state.catalog, max_options_bytes=limit)

    def _new_upload(self, folder: Path) -> Upload:
        settings = self._state.settings
        return Upload(
            store=self._state.store,
            job_id=new_job_id(time_ms=int(self._state.clock.now().timestamp() * 1000)),
            kind=self._kind,
            sample=Sample(folder),
            max_bytes=settings.max_upload_bytes,
            idle_s=settings.upload_idle_s,
            max_field_bytes=settings.max_field_bytes,
            received=self._state.metrics.received,
        )

    async def _take(self, upload: Upload, *, is_raw: bool) -> Submission:
        if is_raw:
            await upload.take_raw(self._request, self.fields.filename)
        else:
            query = self.fields

            def refuse_early(so_far: dict[str, list[str]]) -> None:
                fields = merged(query, form_fields(so_far, type(query)))
                if fields.plugin_id is not None and fields.tool:
                    self._check(fields)

            await upload.take_form(self._request, before_file=refuse_early)
            self.fields = merged(query, form_fields(upload.fields, type(query)))
        return self._check(self.fields)

    async def _look(self, upload: Upload, folder: Path) -> DecodeFacts:
        assert upload.media is not None  # noqa: S101  an upload without media was refused
        sample = await upload.sample.finish()
        return await self._state.prober.look(sample, self._kind, folder)

    async def _create(self, upload: Upload, submission: Submission, facts: DecodeFacts) -> JobRecord:
        assert upload.media is not None  # noqa: S101  an upload without media was refused
        state, job_id = self._state, upload.job_id
        record = submission.record(job_id, upload.media, facts, state.clock.now(), key=self._key)
        try:
            stored = await state.bus.jobs.create(record)
        except BusUnavailable as error:
            # The write may still have landed, so the media stays: the orphan sweep judges later.
            text = f"{error.detail} Before sending it again look at /v1/jobs/{job_id}: if it is there, it was accepted."
            raise ForgeSyteError(error.code, text, job_id=job_id) from error
        state.projection.apply(job_id, stored.record, stored.revision)
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
            await self._state.bus.work.publish(job_id, submission.plugin, submission.device.kind)
        except Exception:  # an HTTP border: the record exists, so whatever the queue did, the answer is 202
            log.warning("work not published, the reconciler will send it", job_id=job_id, exc_info=True)
