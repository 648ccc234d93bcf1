"""The public forms of a record beyond those of contracts: the extended view and the whole result document."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import orjson

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_chassis.store.ended_jobs import result_header
from forgesyte_chassis.store.segments import read_rows
from forgesyte_contracts.http.jobs import AttemptView, ExtendedJobResponse, WarningView, job_view
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.results import INLINE_RESULT_BYTES, Row
from forgesyte_contracts.warnings import IndexedWarning

NEWEST_ROWS = 20


def extended_view(
    record: JobRecord, *, results: dict[str, Any] | None, frames: list[Row], warnings: Sequence[IndexedWarning]
) -> ExtendedJobResponse:
    """Derive the extended view: the record, and how it was made.

    Args:
        record: the record.
        results: the result document of a completed job.
        frames: its newest rows.
        warnings: all of them, with their indexes.
    """
    return ExtendedJobResponse(
        **dict(job_view(record, results=results)),
        plugin_timings=record.plugin_timings,
        stage_timings_ms=record.stage_timings_ms,
        warnings=[warning.text for _, warning in warnings],
        warning_entries=[WarningView(index=index, **warning.model_dump()) for index, warning in warnings],
        device_requested=record.device_requested,
        device_used=record.device_used,
        fallback=record.fallback,
        fallback_reason=record.fallback_reason,
        frames=frames,
        decode=record.decode,
        attempts=[AttemptView.model_validate(attempt.model_dump()) for attempt in record.attempts],
    )


async def result_document(store: Store, record: JobRecord) -> bytes:
    """Return the whole result document as JSON, made in memory: for images, whose rows are few and small."""
    rows = [orjson.Fragment(row) async for row in read_rows(store, record)]
    return orjson.dumps({**result_header(record).model_dump(mode="json"), "truncated": False, "frames": rows})


async def newest_rows(store: Store, record: JobRecord) -> list[Row]:
    """Read the newest committed rows: at most NEWEST_ROWS, and no more than fit inline; none if they were removed."""
    end_frame = max((piece.end_frame for piece in record.rows), default=0)
    if end_frame == 0:
        return []
    first_frame = max(0, end_frame - NEWEST_ROWS)
    rows = read_rows(store, record, from_frame=first_frame, limit=NEWEST_ROWS)
    try:
        found = [row async for row in rows]
    except BlobMissing:
        # A newer attempt or the end of the retention period removed them; the record is still worth an answer.
        return []
    # A page polls this once per second and shows only a glance; a plugin may return megabytes per frame.
    sizes = accumulate(map(len, reversed(found)))
    fitting = sum(size <= INLINE_RESULT_BYTES for size in sizes)
    return [orjson.loads(row) for row in found[len(found) - fitting :]]
