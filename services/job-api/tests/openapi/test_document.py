"""The OpenAPI document of job-api: every JSON body is a named, described model, so that clients can generate types."""

from typing import Any

import pytest

ANSWERS = {
    ("post", "/v1/video/submit", "202"): "Submitted",
    ("post", "/v1/image/submit", "202"): "Submitted",
    ("post", "/v1/image/analyze", "200"): "ResultDocument",
    ("post", "/v1/jobs/{job_id}/retry", "202"): "Submitted",
    ("get", "/v1/jobs", "200"): "JobPage",
    ("get", "/v1/jobs/{job_id}", "200"): "JobView",
    ("get", "/v1/jobs/{job_id}/extended", "200"): "ExtendedJobResponse",
    ("get", "/v1/jobs/{job_id}/result", "200"): "ResultDocument",
    ("get", "/v1/jobs/{job_id}/result", "202"): "Making",
    ("get", "/v1/jobs/{job_id}/frames", "200"): "FrameTable",
    ("get", "/v1/jobs/{job_id}/frames", "202"): "Making",
    ("get", "/v1/jobs/{job_id}/playable", "202"): "Making",
    ("get", "/v1/jobs/{job_id}/result/timeline", "200"): "ResultTimeline",
    ("post", "/v1/jobs/{job_id}/cancel", "200"): "CancelledJob",
    ("get", "/v1", "200"): "ServiceFacts",
    ("get", "/health", "200"): "HealthReport",
    ("get", "/v1/health", "200"): "HealthReport",
}
DESCRIBED = (
    "Submitted", "JobPage", "JobView", "ExtendedJobResponse", "AttemptView", "WarningView", "FrameTable",
    "CancelledJob", "ResultTimeline", "TimelineLane", "HealthReport", "ServiceFacts", "ServiceLimits", "ServiceLinks",
    "Making", "Problem",
)  # fmt: skip


@pytest.fixture
async def document(api) -> dict[str, Any]:
    return (await api.http.get("/openapi.json")).json()


async def test_every_json_body_is_a_model_of_its_own(document):
    found = {
        (method, path, status): answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        if "application/json" in answer.get("content", {})
    }

    assert found == ANSWERS
    assert set(ANSWERS.values()) | {"Problem"} <= set(document["components"]["schemas"])


@pytest.mark.parametrize("name", DESCRIBED)
async def test_every_field_says_what_it_is(document, name):
    properties = document["components"]["schemas"][name]["properties"]

    assert [field for field, schema in properties.items() if not schema.get("description")] == []


async def test_a_form_has_the_fields_of_the_query_and_the_media(document):
    for kind in ("video", "image"):
        operation = document["paths"][f"/v1/{kind}/submit"]["post"]
        form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]

        query = {parameter["name"] for parameter in operation["parameters"]}
        assert set(form) == query | {kind, "file"}


async def test_a_row_has_its_frame_and_whatever_the_tool_says(document):
    row = document["components"]["schemas"]["ResultDocument"]["properties"]["frames"]["items"]

    assert row["required"] == ["frame_index"]
    assert row["additionalProperties"] is True
