"""What the routes of one job-api share; made by create_app and handed in through the app's state."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import JobId, parse_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.parent.zygote import Zygote

from .catalog import Catalog
from .metrics import ApiMetrics
from .projection import Projection
from .results.annotated import Annotator
from .results.archive import Archive
from .results.lookup import find_record
from .settings import JobApiSettings
from .submit.probe import Prober


@dataclass(frozen=True, slots=True)
class ApiState:
    """The open connections and the views over them."""

    bus: Bus
    store: Store
    settings: JobApiSettings
    clock: Clock
    metrics: ApiMetrics
    catalog: Catalog
    projection: Projection
    archive: Archive
    scratch: Scratch
    zygote: Zygote
    annotator: Annotator
    prober: Prober

    async def find(self, job_id: JobId) -> JobRecord:
        """The record of a job.

        Raises:
            ForgeSyteError: JOB_UNKNOWN; SERVICE_UNAVAILABLE when the bus is away and nothing else knows the job.
        """
        return await find_record(job_id, projection=self.projection, bus=self.bus, archive=self.archive)


def _state(request: Request) -> ApiState:
    state = request.app.state.job_api
    assert isinstance(state, ApiState)  # noqa: S101  create_app put it there
    return state


def _job_id(job_id: str) -> JobId:
    try:
        return parse_job_id(job_id)
    except ValueError as error:
        raise ForgeSyteError(
            Code.REQUEST_INVALID, f"job_id: expected a UUID, found {job_id[:80]!r} ({error})", field="job_id"
        ) from None


State = Annotated[ApiState, Depends(_state)]
"""A route parameter: the shared state."""

PathJobId = Annotated[JobId, Depends(_job_id)]
"""A route parameter: the job id of the path, checked and canonical."""
