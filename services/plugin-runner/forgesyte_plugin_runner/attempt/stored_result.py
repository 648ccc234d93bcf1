"""What an attempt leaves in the store beside its rows: the result document, record.json and older warnings.

Everything is made in constant memory. The result must be written before a job completes; record.json and older
warnings are retried for a while, and no job fails for lack of them.
"""

from collections.abc import Sequence

import orjson
import structlog

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.ended_jobs import result_header, write_record
from forgesyte_chassis.store.segments import merge_segments, read_rows
from forgesyte_chassis.store.warnings import write_warnings
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import INLINE_RESULT_BYTES
from forgesyte_contracts.subjects import result_blob
from forgesyte_contracts.warnings import IndexedWarning

from .store_retry import PatientStore, StoreLost

log = structlog.get_logger(__name__)


class RowsMissing(ForgeSyteError):
    """The store does not hold the rows that this attempt made: the job must not end as completed."""


async def write_result(store: Store, record: JobRecord) -> None:
    """Merge the committed segments and write the result document, both under the attempt's number.

    Args:
        store: where to write.
        record: the still running record as it will be completed: total, summary, decode facts, all rows committed.

    Raises:
        RowsMissing: the number of merged rows differs from the summary's.
        RowsDamaged: a segment is not what was written.
        BlobMissing: a segment is gone.
    """
    expected = record.summary.frame_count if record.summary else 0
    found = await merge_segments(store, record)
    if found != expected:
        text = f"attempt {record.attempt} made {expected} rows and the store holds {found}"
        raise RowsMissing(Code.INTERNAL, text, job_id=record.job_id)
    frames, is_truncated = await _inline_rows(store, record)
    header = result_header(record, status=JobStatus.COMPLETED)
    document = {**header.model_dump(mode="json"), "frames": frames, "truncated": is_truncated}
    await store.put(result_blob(JobId(record.job_id), record.attempt), orjson.dumps(document))


async def keep_record(storage: PatientStore, record: JobRecord) -> None:
    """Write record.json, the record as it stood at the ending."""
    try:
        await storage.persist(lambda store: write_record(store, record))
    except StoreLost as fault:
        log.error("record not kept in the store", job_id=record.job_id, error=str(fault))


async def keep_warnings(storage: PatientStore, record: JobRecord, warnings: Sequence[IndexedWarning]) -> None:
    """Write the attempt's warnings that its record does not hold; nothing is written when there are none."""
    if not warnings:
        return
    try:
        await storage.persist(lambda store: write_warnings(store, record.job_id, record.attempt, warnings))
    except StoreLost as fault:
        log.error("older warnings not kept", job_id=record.job_id, count=len(warnings), error=str(fault))


async def _inline_rows(store: Store, record: JobRecord) -> tuple[list[orjson.Fragment], bool]:
    """Return the first rows that fit the inline limit, and whether there are more."""
    frames: list[orjson.Fragment] = []
    size = 0
    async for row in read_rows(store, record):
        size += len(row) + 1
        if size > INLINE_RESULT_BYTES:
            return frames, True
        frames.append(orjson.Fragment(row))
    return frames, False
