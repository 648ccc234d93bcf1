"""From a request with media to a job: the upload goes into the store and passes the admission.

Whatever can be judged without the media is judged before it is read.
"""

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_job_api.request_counting import note_accepted

from .admission import Admission, Taken
from .mediakind import MediaKind
from .submit_fields import SubmitFields, form_fields, merged
from .upload import RAW, Upload, announced_bytes, form_of, refuse_announced_size
from .upload_counting import counted_upload
from .upload_sample import Sample


@dataclass(frozen=True, slots=True)
class Accepted[FieldsT: SubmitFields]:
    """A request that became a job: the record with which the job begins, and the fields of query and form together."""

    record: JobRecord
    fields: FieldsT


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns requests into jobs."""

    admission: Admission

    async def accept[FieldsT: SubmitFields](
        self, request: Request, kind: MediaKind, query: FieldsT
    ) -> Accepted[FieldsT]:
        """Accept a request as a job over this kind of media.

        Raises:
            ForgeSyteError: the request was refused, and nothing of it is kept.
            ClientDisconnect: the client disconnected in the middle; likewise.
        """
        admission = self.admission
        is_raw = form_of(request, kind) == RAW
        refuse_announced_size(request, kind, admission.settings.max_upload_bytes)
        if is_raw:
            admission.check(query, kind)
        key: str = request.state.key_name
        admission.require_room(key, announced_bytes(request))
        fields = query

        async def take(upload: Upload) -> Taken:
            nonlocal fields
            with counted_upload(admission.metrics):
                fields = await self._receive(upload, request, query, is_raw=is_raw)
                submission = admission.check(fields, kind)
                return submission, await admission.probe(upload, submission)

        record = await admission.admit(key, lambda job_id, folder: self._new_upload(job_id, kind, folder), take)
        note_accepted(request)
        return Accepted(record, fields)

    def _received(self, size_bytes: int) -> None:
        self.admission.metrics.received(size_bytes)
        self.admission.disk.require_room()

    def _new_upload(self, job_id: JobId, kind: MediaKind, folder: Path) -> Upload:
        settings = self.admission.settings
        return Upload(
            store=self.admission.store,
            job_id=job_id,
            kind=kind,
            sample=Sample(folder),
            max_bytes=settings.max_upload_bytes,
            idle_s=settings.upload_idle_s,
            max_field_bytes=settings.max_field_bytes,
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
                self.admission.check(fields, upload.kind)

        await upload.take_form(request, before_file=refuse_early)
        return merged(query, form_fields(upload.fields, type(query)))
