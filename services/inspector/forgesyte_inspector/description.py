"""What OpenAPI tells beyond what FastAPI finds out by itself: refusals as they are, and an example for every answer.

The schema of problems is not told here: every service answers with the same, and the document in which all of them are
told together has it once.
"""

from collections.abc import Iterator

from fastapi import FastAPI

from forgesyte_chassis.web.openapi import Described, complete_openapi
from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document

from .examples import ANSWERS, PLUGIN, PROBLEMS, REFUSALS

_JSON = "application/json"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_NAME = {"description": "Name of the plugin.", "example": PLUGIN}


def describe(app: FastAPI) -> None:
    """Complete the application's OpenAPI document when it is asked for the first time."""
    complete_openapi(app, _complete)


def _complete(document: Described) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                parameter.update(_NAME)
            answers = operation["responses"]
            answers.pop("422", None)  # FastAPI's guess: a name is any text, so there is nothing that it could refuse
            for answer in answers.values():
                _complete_answer(answer["content"][_JSON])
            answers.update((str(status), _refusal(status)) for status in _refusals(method, path))


def _complete_answer(told: Described) -> None:
    schema = told["schema"]
    is_list = schema.get("type") == "array"
    name = (schema["items"] if is_list else schema)["$ref"].rpartition("/")[2]
    told["example"] = [ANSWERS[name]] if is_list else ANSWERS[name]


def _refusals(method: str, path: str) -> Iterator[int]:
    yield from (401, 403)
    if "{name}" in path:
        yield 404
    if method == "post":
        yield 503


def _refusal(status: int) -> Described:
    example = {**problem_document(PROBLEMS[status]), "status": status}
    return {"description": REFUSALS[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": example}}}
