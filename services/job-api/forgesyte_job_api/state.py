"""What the routes of one job-api share; made by create_app and passed in through the application's state.

Imported by the application and the routes alone: everything below is handed what it needs.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.turns import Turns
from forgesyte_contracts.ids import JobId, parse_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.parent.zygote import Zygote

from .catalog import Catalog
from .metrics import ApiMetrics
from .openapi.examples import EXAMPLE_JOB_ID
from .projection import Projection
from .reconcile.reconciler import Reconciler
from .results.archive import Archive
from .results.lookup import find_record
from .results.playable_facts import PlayableFacts
from .results.timelines import Timelines
from .results.workshop import Workshop
from .settings import JobApiSettings
from .submit.admission import Admission
from .submit.intake import Intake
from .submit.places import Places
from .submit.probe import Prober
from .submit.retry import Retries

TABLES_AT_ONCE = 4
"""How many frame tables are read and packed at the same time; one of a million frames takes up to 60 MB meanwhile."""


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
    disk: DiskWatch
    zygote: Zygote
    annotated: Workshop[int]
    playables: Workshop[PlayableFacts]
    prober: Prober
    timelines: Timelines
    copying: Places
    cancels: Turns[JobId] = field(default_factory=Turns)
    tables: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TABLES_AT_ONCE))

    def intake(self) -> Intake:
        """Make what turns requests into jobs."""
        return Intake(self._admission())

    def retries(self) -> Retries:
        """Make what turns jobs into other jobs over the same media."""
        return Retries(self._admission(), self.copying)

    def _admission(self) -> Admission:
        return Admission(
            bus=self.bus,
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            metrics=self.metrics,
            catalog=self.catalog,
            projection=self.projection,
            scratch=self.scratch,
            disk=self.disk,
            prober=self.prober,
        )

    def reconciler(self) -> Reconciler:
        """Make a reconciler that remembers no round yet."""
        return Reconciler(
            bus=self.bus,
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            metrics=self.metrics,
            catalog=self.catalog,
            projection=self.projection,
            archive=self.archive,
        )

    async def find(self, job_id: JobId) -> JobRecord:
        """Return the record of a job.

        Raises:
            ForgeSyteError: JOB_UNKNOWN; SERVICE_UNAVAILABLE when the bus is unavailable and nothing else knows the job.
        """
        return await find_record(job_id, projection=self.projection, bus=self.bus, archive=self.archive)


def _state(request: Request) -> ApiState:
    state = request.app.state.job_api
    assert isinstance(state, ApiState)  # noqa: S101  create_app put it there
    return state


def _job_id(
    job_id: Annotated[
        str,
        Path(
            json_schema_extra={"format": "uuid"},
            description="The job's id, a UUID, as the submit answered it.",
            examples=[EXAMPLE_JOB_ID],
        ),
    ],
) -> JobId:
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
