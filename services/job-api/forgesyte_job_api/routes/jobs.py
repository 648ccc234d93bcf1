"""GET /v1/jobs, /v1/jobs/{job_id} and /extended: answers from memory, else from the bus or the store."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from forgesyte_chassis.store.warnings import all_warnings
from forgesyte_contracts.http.jobs import ExtendedJobResponse, JobPage, JobView, job_view
from forgesyte_contracts.ids import JobId, JobIdText, NameText, parse_job_id
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.openapi.examples import EXAMPLE_JOB_ID, EXTENDED_JOB, JOB, JOB_PAGE
from forgesyte_job_api.openapi.route_docs import answer, problem_responses
from forgesyte_job_api.projection import PageQuery
from forgesyte_job_api.results.views import extended_view, newest_rows
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["jobs"])

_KEY_PROBLEMS = (Code.KEY_MISSING, Code.KEY_REFUSED)
_ONE_JOB = problem_responses(*_KEY_PROBLEMS, Code.JOB_UNKNOWN, Code.REQUEST_INVALID, Code.SERVICE_UNAVAILABLE)


@router.get(
    "/v1/jobs",
    response_model=JobPage,
    responses={200: answer(JOB_PAGE), **problem_responses(*_KEY_PROBLEMS, Code.REQUEST_INVALID)},
)
@router.head("/v1/jobs", include_in_schema=False)
async def list_jobs(
    state: State,
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs per page.", examples=[20])] = 10,
    status: Annotated[
        tuple[JobStatus, ...],
        Query(description="Only jobs in this state; repeat it for several states.", examples=[["failed", "cancelled"]]),
    ] = (),
    plugin: Annotated[
        NameText | None, Query(description="Only jobs of this plugin.", examples=["motion-detector"])
    ] = None,
    plugin_id: Annotated[
        NameText | None, Query(description="The same as plugin.", examples=["motion-detector"])
    ] = None,
    cursor: Annotated[
        JobIdText | None, Query(description="`next_cursor` of the page before.", examples=[EXAMPLE_JOB_ID])
    ] = None,
    skip: Annotated[
        int, Query(ge=0, description="How many to leave out; for older clients, others use cursor.", examples=[0])
    ] = 0,
) -> Response:
    """List living jobs and the newest ended ones, newest first, without their results."""
    await state.projection.wait_filled(state.settings.lookup_wait_s)
    wanted = PageQuery(
        limit=limit,
        statuses=frozenset(status),
        plugin=_one_plugin(plugin, plugin_id),
        before=_before(cursor),
        skip=skip,
    )
    page = state.projection.page(wanted)
    views = [job_view(record, has_options=False) for record in page.records]
    return _answer(JobPage(jobs=views, count=page.count, next_cursor=page.next_cursor))


@router.get("/v1/jobs/{job_id}", response_model=JobView, responses={200: answer(JOB), **_ONE_JOB})
@router.head("/v1/jobs/{job_id}", include_in_schema=False)
async def get_job(state: State, job_id: PathJobId) -> Response:
    """Return the state of a job; a completed one has its result document, cut at the inline limit."""
    record = await state.find(job_id)
    return _answer(job_view(record, results=await state.archive.results(record)))


@router.get(
    "/v1/jobs/{job_id}/extended", response_model=ExtendedJobResponse, responses={200: answer(EXTENDED_JOB), **_ONE_JOB}
)
@router.head("/v1/jobs/{job_id}/extended", include_in_schema=False)
async def get_job_extended(state: State, job_id: PathJobId) -> Response:
    """Return the state of a job and how it was made: timings, warnings, device, newest rows, decoding, attempts."""
    record = await state.find(job_id)
    results = await state.archive.results(record)
    frames, warnings = await newest_rows(state.store, record), await all_warnings(state.store, record)
    return _answer(extended_view(record, results=results, frames=frames, warnings=warnings))


def _one_plugin(plugin: str | None, plugin_id: str | None) -> str | None:
    if plugin is not None and plugin_id is not None and plugin != plugin_id:
        text = f"plugin is {plugin!r} and plugin_id is {plugin_id!r}; they mean the same, so send one of them"
        raise ForgeSyteError(Code.REQUEST_INVALID, text, field="plugin_id")
    return plugin_id if plugin is None else plugin


def _before(cursor: str | None) -> JobId | None:
    try:
        return None if cursor is None else parse_job_id(cursor)
    except ValueError:
        raise ForgeSyteError(
            Code.REQUEST_INVALID, "cursor: expected the `next_cursor` of an earlier page", field="cursor"
        ) from None


def _answer(body: BaseModel) -> Response:
    # Already validated: FastAPI's second round through the response model would double the cost of the hottest path.
    return Response(body.model_dump_json(), media_type="application/json")
