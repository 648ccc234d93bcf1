"""What OpenAPI tells beyond what FastAPI finds out by itself: an example for every question, answer and problem.

The examples stand here and not at the models, because contracts' models are the wire of several services and their
JSON Schema should stay small. Nothing here changes what a route does.
"""

from fastapi import FastAPI

from forgesyte_chassis.web.openapi import Described, complete_openapi
from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.http.problems import Problem
from forgesyte_contracts.problems import Code, ForgeSyteError

from .examples import ANSWERS, FORM, ODD_PROBLEMS, PARAMETERS, TEXTS

_JSON = "application/json"
_FORM = "multipart/form-data"
_PROBLEM_REF = "#/components/schemas/Problem"


def describe(app: FastAPI) -> None:
    """Complete the application's OpenAPI document when it is asked for the first time."""
    complete_openapi(app, _complete)


def _complete(document: Described) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas[Problem.__name__] = Problem.model_json_schema()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _complete_parameter(parameter)
            form = operation.get("requestBody", {}).get("content", {}).get(_FORM)
            if form is not None:
                form.setdefault("example", FORM)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    _complete_problem(answer, int(status))
                else:
                    _complete_answer(answer)


def _complete_parameter(parameter: Described) -> None:
    description, example = PARAMETERS.get(parameter["name"], (None, None))
    if description is not None:
        parameter.setdefault("description", description)
    has_one = "examples" in parameter.get("schema", {}) or "examples" in parameter
    if example is not None and not has_one:
        parameter.setdefault("example", example)


def _complete_problem(answer: Described, status: int) -> None:
    content = answer.setdefault("content", {})
    # FastAPI files every model under application/json; problems are sent as what they are.
    content.pop(_JSON, None)
    told = content.setdefault(MEDIA_TYPE, {})
    told["schema"] = {"$ref": _PROBLEM_REF}
    if status in ODD_PROBLEMS and "examples" not in told:
        code, title, detail = ODD_PROBLEMS[status]
        document = problem_document(ForgeSyteError(Code(code), detail))
        told["example"] = document | {"status": status, "title": title}


def _complete_answer(answer: Described) -> None:
    for media_type, told in answer.get("content", {}).items():
        name = told.get("schema", {}).get("$ref", "").rpartition("/")[2]
        example = ANSWERS.get(name) if media_type == _JSON else TEXTS.get(media_type)
        if example is not None:
            told.setdefault("example", example)
