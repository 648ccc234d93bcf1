"""What the store holds of ended jobs: the last record, and the result document for inline results."""

from collections import OrderedDict
from typing import Any

import orjson
import structlog

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_chassis.store.ended_jobs import read_record, write_missing_record
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.subjects import result_blob

log = structlog.get_logger(__name__)


class Archive:
    """Reads ended jobs. Result documents never change, so the few that were requested last are kept in memory."""

    def __init__(self, store: Store, *, kept: int) -> None:
        self._store = store
        self._kept = kept
        self._results: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def record(self, job_id: JobId) -> JobRecord | None:
        """Return the record as it was at the end, or None when the job has not ended or never existed."""
        return await read_record(self._store, job_id)

    async def keep_record(self, record: JobRecord) -> bool:
        """Write the record of an ended job unless it is there already; return whether it was written now."""
        return await write_missing_record(self._store, record)

    async def results(self, record: JobRecord) -> dict[str, Any] | None:
        """Return the result document of a completed job with the rows that fit inline; None for any other."""
        if record.status is not JobStatus.COMPLETED:
            return None
        path = result_blob(JobId(record.job_id), record.attempt)
        if path in self._results:
            self._results.move_to_end(path)
            return self._results[path]
        try:
            document = orjson.loads(await self._store.get(path))
        except BlobMissing:
            log.warning("result document is missing", job_id=record.job_id)
            return None
        if not isinstance(document, dict):
            return None
        self._results[path] = document
        while len(self._results) > self._kept:
            self._results.popitem(last=False)
        return document
