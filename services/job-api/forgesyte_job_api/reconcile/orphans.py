"""What the store holds beside living jobs: blobs of jobs that never began, and the records of ended ones.

Both need a listing of the whole store, which is expensive; so this runs rarely and after everything else.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import JobId, parse_job_id
from forgesyte_contracts.subjects import job_folder, record_blob
from forgesyte_job_api.projection import Projection
from forgesyte_job_api.results.archive import Archive

log = structlog.get_logger(__name__)

JOBS_FOLDER = job_folder(JobId("-")).removesuffix("-/")
"""The folder over all jobs' folders."""


class Orphans:
    """Removes blobs that no record knows, once their job id is older than `after_s` seconds.

    Such blobs are left when a process dies between the end of an upload and the record.
    """

    def __init__(self, bus: Bus, store: Store, projection: Projection, clock: Clock, *, after_s: float) -> None:
        self._bus = bus
        self._store = store
        self._projection = projection
        self._clock = clock
        self._after = timedelta(seconds=after_s)

    async def sweep(self) -> list[JobId]:
        """Search the whole store once, and return the ids whose blobs were removed.

        Raises:
            BusUnavailable: the bus is unavailable; nothing is removed without asking the leader.
        """
        paths = await self._store.list(JOBS_FOLDER)
        kept = set(paths)
        removed = []
        for job_id in sorted(_job_ids(paths)):
            is_known = record_blob(job_id) in kept or self._projection.get(job_id) is not None
            if is_known or not self._is_old(job_id) or await self._bus.jobs.get(job_id) is not None:
                continue
            await self._store.delete_folder(job_folder(job_id))
            log.info("orphaned blobs removed", job_id=job_id)
            removed.append(job_id)
        await self._store.sweep()
        return removed

    def _is_old(self, job_id: JobId) -> bool:
        made_ms = uuid.UUID(job_id).int >> 80
        return self._clock.now().timestamp() * 1000 - made_ms >= self._after.total_seconds() * 1000


async def recall(store: Store, archive: Archive, projection: Projection, *, history: int) -> None:
    """After a start, put the newest ended jobs that have left the bus back into the list, at most `history`."""
    if history == 0:
        return
    paths = set(await store.list(JOBS_FOLDER))
    ended = sorted(job_id for job_id in _job_ids(paths) if record_blob(job_id) in paths)
    for job_id in ended[-history:]:
        if projection.get(job_id) is not None:
            continue
        record = await archive.record(job_id)
        if record is not None and projection.get(job_id) is None:
            projection.remember(record)


def _job_ids(paths: Iterable[str]) -> set[JobId]:
    found = set()
    for path in paths:
        name = path.removeprefix(JOBS_FOLDER).partition("/")[0]
        try:
            found.add(parse_job_id(name))
        except ValueError:
            continue
    return found
