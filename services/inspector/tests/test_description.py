"""The inspector's part of the OpenAPI document."""

import pytest
from pydantic import TypeAdapter

from forgesyte_contracts import plugins
from forgesyte_inspector import wire
from forgesyte_inspector.app import create_app
from forgesyte_inspector.examples import ANSWERS
from forgesyte_inspector.settings import InspectorSettings


@pytest.fixture
def operations():
    document = create_app(None, None, InspectorSettings()).openapi()
    return {
        f"{method.upper()} {path}": told
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_each_example_is_what_its_model_gives(name):
    model = TypeAdapter(getattr(wire, name, None) or getattr(plugins, name))

    assert model.dump_python(model.validate_python(ANSWERS[name]), mode="json") == ANSWERS[name]


def test_every_answer_has_an_example_and_every_refusal_is_a_problem_of_its_status(operations):
    for name, told in operations.items():
        for status, answer in told["responses"].items():
            (content,) = answer["content"].items()
            assert content[0] == ("application/json" if status < "400" else "application/problem+json"), name
            assert content[1]["example"], name
            if status >= "400":
                assert content[1]["example"]["status"] == int(status), name


def test_an_address_with_a_plugin_in_it_tells_of_404_and_no_other_does(operations):
    with_404 = {name for name, told in operations.items() if "404" in told["responses"]}

    assert with_404 == {name for name in operations if "{name}" in name}
    assert not [name for name, told in operations.items() if "422" in told["responses"]]
