"""Warnings that do not fit into a job's record: each attempt with too many of them stores them.

The record has the newest warnings and counts the others; an index numbers all warnings of the job from 0, over all
attempts. An attempt stores every warning it knows, so the stored lists of two attempts may overlap; they then agree.
"""

from collections.abc import Sequence

import orjson

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.subjects import warnings_blob

from .blobs import BlobMissing, Store

Indexed = tuple[int, str]
"""A warning's index and its text."""


async def write_warnings(store: Store, job_id: str, attempt: int, warnings: Sequence[Indexed]) -> None:
    """Store the warnings an attempt knows, replacing what it stored before."""
    await store.put(warnings_blob(JobId(job_id), attempt), orjson.dumps(warnings))


async def all_warnings(store: Store, record: JobRecord) -> list[str]:
    """Return every warning of a job in order; one that was never stored, as in a killed attempt, is left out."""
    older: dict[int, str] = {}
    for attempt in range(1, record.attempt + 1) if record.warnings_dropped else ():
        try:
            kept = orjson.loads(await store.get(warnings_blob(JobId(record.job_id), attempt)))
        except BlobMissing:
            continue
        older.update((index, text) for index, text in kept if index < record.warnings_dropped)
    return [older[index] for index in sorted(older)] + list(record.warnings)
