"""What the OpenAPI document says beyond the models: the problems that each route refuses with, and the examples.

Routes take their path parameter and their refusals from here. The examples of the answers are added to the finished
document by the name of the model, because FastAPI drops the nulls from an example that is given at the route.
"""

from typing import Annotated, Any

from fastapi import FastAPI, Path

from forgesyte_chassis.web.openapi import Described, complete_openapi
from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.http.problems import Problem

from .examples import ANSWERS, PLUGIN, PROBLEMS, REFUSALS

PluginPath = Annotated[str, Path(description="Name of the plugin.", examples=[PLUGIN])]
"""The path parameter of every route below /v1/plugins/{name}."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route refuses with, for its `responses=`."""
    return {status: _refusal(status) for status in statuses}


def describe(app: FastAPI) -> None:
    """Complete the application's OpenAPI document when it is first asked for."""
    complete_openapi(app, _complete)


def _complete(document: Described) -> None:
    schemas = document["components"]["schemas"]
    schemas[Problem.__name__] = Problem.model_json_schema()
    for framework_model in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework_model, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                if content := response["content"].get("application/json"):
                    content["example"] = _example(content["schema"])


def _example(schema: Described) -> Any:  # noqa: ANN401 - any JSON
    if "items" in schema:
        return [_example(schema["items"])]
    return ANSWERS[schema["$ref"].rpartition("/")[2]]


def _refusal(status: int) -> dict[str, Any]:
    example = {**problem_document(PROBLEMS[status]), "status": status}
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": REFUSALS[status], "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
