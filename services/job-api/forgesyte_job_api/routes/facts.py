"""GET /v1: what a page or a client has to know before its first submit, without a key."""

from fastapi import APIRouter, Request

from forgesyte_contracts.http.service import ServiceFacts
from forgesyte_contracts.problems import Code
from forgesyte_job_api.openapi.examples import FACTS
from forgesyte_job_api.openapi.route_docs import answer, problem_responses

router = APIRouter(tags=["service"])


@router.get(
    "/v1", response_model=ServiceFacts, responses={200: answer(FACTS), **problem_responses(Code.REQUEST_INVALID)}
)
@router.head("/v1", include_in_schema=False)
async def get_facts(request: Request) -> ServiceFacts:
    """Say which service and version this is, whether it needs a key, and how large an upload may be."""
    facts = request.app.state.facts
    assert isinstance(facts, ServiceFacts)  # noqa: S101  create_app put it there
    return facts
