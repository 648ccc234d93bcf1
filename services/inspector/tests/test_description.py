"""The inspector's part of the OpenAPI document: every route has types, examples and the problems it refuses with."""

import json
import re

import pytest
from pydantic import TypeAdapter

from forgesyte_contracts import plugins
from forgesyte_contracts.http import plugins as plugin_bodies
from forgesyte_contracts.http import runners as runner_bodies
from forgesyte_inspector.app import create_app
from forgesyte_inspector.examples import ANSWERS
from forgesyte_inspector.settings import InspectorSettings


@pytest.fixture
def document():
    return create_app(None, None, InspectorSettings()).openapi()


@pytest.fixture
def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_each_example_is_what_its_model_gives(name):
    (model,) = {getattr(module, name) for module in (plugin_bodies, runner_bodies, plugins) if hasattr(module, name)}
    adapter = TypeAdapter(model)

    assert adapter.dump_python(adapter.validate_python(ANSWERS[name]), mode="json") == ANSWERS[name]


def test_every_answer_has_an_example_and_every_refusal_is_a_problem_of_its_status(operations):
    for name, operation in operations.items():
        for status, answer in operation["responses"].items():
            (content,) = answer["content"].items()
            assert content[0] == ("application/json" if status < "400" else "application/problem+json"), name
            assert content[1]["example"], name
            if status >= "400":
                assert content[1]["example"]["status"] == int(status), name


def test_a_path_with_a_plugin_in_it_may_answer_404_and_no_other_does(operations):
    with_404 = {name for name, operation in operations.items() if "404" in operation["responses"]}

    assert with_404 == {name for name in operations if "{name}" in name}


def test_every_route_says_that_it_refuses_unknown_parameters(operations):
    assert not [name for name, operation in operations.items() if "422" not in operation["responses"]]


def test_every_answer_has_a_schema_and_every_reference_leads_to_one(document, operations):
    for name, operation in operations.items():
        for status, answer in operation["responses"].items():
            (content,) = answer["content"].values()
            assert content["schema"].get("items", content["schema"])["$ref"], f"{name} {status}"
    found = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert found == set(document["components"]["schemas"])
