"""Makes what stays of a completed job: the merged rows and the result document, in constant memory."""

import orjson

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.segments import merge_segments, read_rows
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import INLINE_RESULT_BYTES, ResultHeader, ResultSummary
from forgesyte_contracts.subjects import record_blob, result_blob


class RowsMissing(ForgeSyteError):
    """The store does not hold the rows that this attempt made: the job must not end as completed."""


async def write_result(store: Store, record: JobRecord) -> None:
    """Merge the committed segments and write the result document, both under the attempt's number.

    Args:
        store: where.
        record: the record as it will be completed (total, summary, decode facts, all rows committed) and still runs.

    Raises:
        RowsMissing: the merged rows are not as many as the summary says.
        RowsDamaged: a segment is not what was written.
        BlobMissing: a segment is gone.
    """
    expected = record.summary.frame_count if record.summary else 0
    found = await merge_segments(store, record)
    if found != expected:
        text = f"attempt {record.attempt} made {expected} rows and the store holds {found}"
        raise RowsMissing(Code.INTERNAL, text, job_id=record.job_id)
    frames, is_truncated = await _inline_rows(store, record)
    header = ResultHeader(
        job_id=record.job_id,
        status=JobStatus.COMPLETED,
        plugin_id=record.plugin_id,
        tools=record.tools,
        total_frames=record.total_frames,
        fps=record.decode.fps if record.decode else None,
        width=record.decode.width if record.decode else None,
        height=record.decode.height if record.decode else None,
        summary=record.summary or ResultSummary(),
    )
    document = {**header.model_dump(mode="json"), "frames": frames, "truncated": is_truncated}
    await store.put(result_blob(JobId(record.job_id), record.attempt), orjson.dumps(document))


async def write_record(store: Store, record: JobRecord) -> None:
    """Write the record as it stood at the ending."""
    await store.put(record_blob(JobId(record.job_id)), record.model_dump_json().encode())


async def _inline_rows(store: Store, record: JobRecord) -> tuple[list[orjson.Fragment], bool]:
    """The first rows that fit the inline limit, and whether there are more."""
    frames: list[orjson.Fragment] = []
    size = 0
    async for row in read_rows(store, record):
        size += len(row) + 1
        if size > INLINE_RESULT_BYTES:
            return frames, True
        frames.append(orjson.Fragment(row))
    return frames, False
