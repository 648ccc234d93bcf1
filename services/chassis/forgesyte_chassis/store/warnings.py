"""Warnings that do not fit into a job's record: each attempt that has such warnings keeps them in the store.

The record holds the newest warnings and counts the older ones; an index counts all warnings of the job from 0, over all
attempts. An attempt keeps everything it knows, so what two attempts keep may overlap, and agrees where it does.
"""

from collections.abc import Sequence

from pydantic import TypeAdapter

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.subjects import warnings_blob
from forgesyte_contracts.warnings import IndexedWarning, JobWarning

from .blobs import BlobMissing, Store

_KEPT: TypeAdapter[Sequence[IndexedWarning]] = TypeAdapter(Sequence[IndexedWarning])


async def write_warnings(store: Store, job_id: str, attempt: int, warnings: Sequence[IndexedWarning]) -> None:
    """Keep the warnings an attempt knows, replacing what it kept before."""
    await store.put(warnings_blob(JobId(job_id), attempt), _KEPT.dump_json(warnings))


async def all_warnings(store: Store, record: JobRecord) -> list[IndexedWarning]:
    """Return every warning in order with its index; one that was never kept, as by a killed attempt, is missing."""
    older: dict[int, JobWarning] = {}
    for attempt in range(1, record.attempt + 1) if record.warnings_dropped else ():
        try:
            kept = _KEPT.validate_json(await store.get(warnings_blob(JobId(record.job_id), attempt)))
        except BlobMissing:
            continue
        older.update((index, warning) for index, warning in kept if index < record.warnings_dropped)
    return sorted(older.items()) + list(enumerate(record.warnings, start=record.warnings_dropped))
