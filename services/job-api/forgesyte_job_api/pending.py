"""How many jobs of each key wait for a runner, and the refusal of any beyond the limit.

Kept beside the projection and fed with the same records, because counting them at each submit would cost more the more
jobs there are. Replicas count each other's jobs through the feed; until that catches up they may let a few more in.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError


class PendingJobs:
    """The pending jobs by the name of the key that submitted them."""

    def __init__(self) -> None:
        self._of_key: defaultdict[str, set[JobId]] = defaultdict(set)
        self._key_of: dict[JobId, str] = {}

    def note(self, record: JobRecord) -> None:
        """Note a record as it is now."""
        job_id = JobId(record.job_id)
        if record.submitted_by is not None and record.status is JobStatus.PENDING:
            self._add(job_id, record.submitted_by)
        else:
            self.forget(job_id)

    def forget(self, job_id: JobId) -> None:
        """Stop counting this job."""
        key = self._key_of.pop(job_id, None)
        if key is not None:
            self._of_key[key].discard(job_id)

    def require_room(self, key: str, most: int) -> None:
        """Check that this key may have one more pending job.

        Args:
            key: the key's name.
            most: how many pending jobs a key may have; 0 sets no limit.

        Raises:
            ForgeSyteError: TOO_MANY_REQUESTS.
        """
        waiting = len(self._of_key[key])
        if most and waiting >= most:
            text = (
                f"{waiting} jobs of this client are already waiting for a runner (limit: {most}); submit again when "
                "one has started or was cancelled (GET /v1/jobs?status=pending lists them)"
            )
            raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text)

    @contextmanager
    def entering(self, job_id: JobId, key: str, most: int) -> Iterator[None]:
        """Count a job before its record is written, so that concurrent submits see it; undone if the block fails.

        Raises:
            ForgeSyteError: as require_room.
        """
        self.require_room(key, most)
        self._add(job_id, key)
        try:
            yield
        except BaseException:
            self.forget(job_id)
            raise

    def _add(self, job_id: JobId, key: str) -> None:
        self._key_of[job_id] = key
        self._of_key[key].add(job_id)
