"""/openapi.json of a running server: valid, complete, and every example fits what it is an example of."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.routes import REALTIME_GATEWAY, ROUTES

pytestmark = pytest.mark.slow

DESCRIBED = {
    f"{route.method} {route.path}"
    for route in ROUTES
    if route.service != REALTIME_GATEWAY or route.path == "/v1/realtime"
} - {"GET /openapi.json"}
"""OpenAPI has no words for sockets; of /v1/realtime it tells what a plain GET is answered."""

WITH_EXAMPLES = {f"{route.method} {route.path}" for route in ROUTES if route.service != REALTIME_GATEWAY}
"""The routes whose every question and answer has an example; the gateway's messages stand in docs/realtime.md."""

READABLE = ("application/json", "application/jsonl", "application/problem+json", "text/csv", "multipart/form-data")
"""Media types an example can be shown of; the others are pictures and videos."""


@pytest.fixture
def document(http) -> dict[str, Any]:
    return http.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where, media type and description of everything that is sent either way."""
    for name, operation in operations(document):
        sent = operation.get("requestBody", {}).get("content", {})
        yield from ((f"{name} request", media_type, told) for media_type, told in sent.items())
        for status, answer in operation["responses"].items():
            for media_type, told in answer.get("content", {}).items():
                yield f"{name} {status}", media_type, told


def examples_in(told: dict[str, Any]) -> list[Any]:
    return [told["example"]] if "example" in told else [one["value"] for one in told.get("examples", {}).values()]


def test_the_document_is_valid_openapi(document):
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")

    validator.validate(document)


def test_every_public_route_is_described_and_nothing_else(document):
    assert {name for name, _ in operations(document)} == DESCRIBED


def test_every_operation_and_parameter_says_what_it_is(document):
    silent = [name for name, operation in operations(document) if not operation.get("description")]
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []) if name in WITH_EXAMPLES else []:
            has_example = "example" in parameter or parameter["schema"].get("examples")
            if not (parameter.get("description") and has_example):
                silent.append(f"{name} {parameter['name']}")

    assert silent == []


def test_everything_readable_has_an_example(document):
    without = [
        f"{where} {media_type}"
        for where, media_type, told in contents(document)
        if media_type in READABLE and not examples_in(told) and where.rpartition(" ")[0] in WITH_EXAMPLES
    ]

    assert without == []


def test_every_example_fits_its_schema(document):
    checked = 0
    for where, media_type, told in contents(document):
        schema = {**told.get("schema", {}), "components": document["components"]}
        for example in examples_in(told):
            as_sent = example if media_type != "multipart/form-data" else {**example, **media_of(told)}
            jsonschema.validate(as_sent, schema)
            json.dumps(example)
            checked += 1
            assert isinstance(example, str | dict | list), where

    assert checked > 50


def media_of(told: dict[str, Any]) -> dict[str, str]:
    """The media part that an example of a form cannot show."""
    return {name: "" for name, field in told["schema"]["properties"].items() if field.get("format") == "binary"}


def test_every_refusal_is_a_problem_with_the_status_it_is_listed_under(document):
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status < "400":
                continue
            assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"
            for problem in examples_in(answer["content"]["application/problem+json"]):
                assert str(problem["status"]) == status, f"{name} {status}"
                assert Code(problem["code"]) in CODE_FACTS
