"""Warnings beyond what a job's record has room for: each attempt that knows of such keeps them in the store.

The record holds the newest ones and counts the others; an index counts all of the job's from 0, over all attempts. An
attempt keeps everything it knows, so what two of them kept may overlap, and says the same there.
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
    """Keep what an attempt knows, in place of what it kept before."""
    await store.put(warnings_blob(JobId(job_id), attempt), orjson.dumps(warnings))


async def all_warnings(store: Store, record: JobRecord) -> list[str]:
    """Every warning of a job in order; one that nobody kept, as of an attempt that was killed, is left out."""
    older: dict[int, str] = {}
    for attempt in range(1, record.attempt + 1) if record.warnings_dropped else ():
        try:
            kept = orjson.loads(await store.get(warnings_blob(JobId(record.job_id), attempt)))
        except BlobMissing:
            continue
        older.update((index, text) for index, text in kept if index < record.warnings_dropped)
    return [older[index] for index in sorted(older)] + list(record.warnings)
