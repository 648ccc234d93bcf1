"""GET /health and /v1/health: always 200, because a broken part is data and not an error."""

from fastapi import APIRouter, Request

from forgesyte_contracts.http.health import HealthReport
from forgesyte_contracts.problems import Code
from forgesyte_job_api.health.report import HealthCheck
from forgesyte_job_api.openapi.examples import HEALTH
from forgesyte_job_api.openapi.route_docs import Responses, answer, problem_responses

router = APIRouter(tags=["health"])

_RESPONSES: Responses = {200: answer(HEALTH), **problem_responses(Code.REQUEST_INVALID)}


@router.get("/health", response_model=HealthReport, responses=_RESPONSES)
@router.get("/v1/health", response_model=HealthReport, responses=_RESPONSES)
@router.head("/health", include_in_schema=False)
@router.head("/v1/health", include_in_schema=False)
async def get_health(request: Request) -> HealthReport:
    """Say whether the service can do its work and, check by check, what is wrong."""
    check = request.app.state.health
    assert isinstance(check, HealthCheck)  # noqa: S101  create_app put it there
    return await check.report()
