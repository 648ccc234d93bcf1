"""What the store keeps of an ended job: its last record as record.json, and the head of its result document.

The runner and job-api both write these and job-api reads them, so their form is defined here once. Never decides when
a job has ended.
"""

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import DecodeFacts, JobRecord, JobStatus
from forgesyte_contracts.results import ResultHeader, ResultSummary
from forgesyte_contracts.subjects import record_blob

from .blobs import BlobMissing, Store


async def write_record(store: Store, record: JobRecord) -> None:
    """Write the record as it stood at the ending, replacing an earlier one."""
    await store.put(record_blob(JobId(record.job_id)), record.model_dump_json().encode())


async def write_missing_record(store: Store, record: JobRecord) -> bool:
    """Write the record as it stood at the ending unless there is one; return whether it was written."""
    return await store.create(record_blob(JobId(record.job_id)), record.model_dump_json().encode())


async def read_record(store: Store, job_id: JobId) -> JobRecord | None:
    """Return the record as it stood at the ending; None when the job never ended or never existed."""
    try:
        return JobRecord.model_validate_json(await store.get(record_blob(job_id)))
    except BlobMissing:
        return None


def result_header(record: JobRecord, *, status: JobStatus | None = None) -> ResultHeader:
    """Return the result document without its rows, as far as the job has come.

    Args:
        record: the job's.
        status: what the document says instead of the record's own status.
    """
    decode = record.decode or DecodeFacts()
    return ResultHeader(
        job_id=record.job_id,
        status=(status or record.status).value,
        plugin_id=record.plugin_id,
        tools=record.tools,
        total_frames=record.total_frames,
        fps=decode.fps,
        width=decode.width,
        height=decode.height,
        summary=record.summary or ResultSummary(),
    )
