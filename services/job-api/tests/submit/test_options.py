"""Options against the schemas of the tools."""

import pytest
from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.submit.options import parse_options

LIMIT = 1000


class Zone(BaseModel):
    left: int


class Mode(BaseModel):
    model_config = ConfigDict(extra="forbid")

    speed: int


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    threshold: int = Field(default=25, ge=1, le=255)
    zones: list[Zone] = []
    mode: Mode | None = None


@pytest.fixture
def tool(make):
    return make.a_tool(options_schema=Options.model_json_schema(), aliases=("motion",))


@pytest.fixture
def other(make):
    return make.a_tool("track")


@pytest.mark.parametrize("text", [None, "", "  ", "{}"], ids=repr)
def test_no_options_are_no_options(tool, text):
    assert parse_options(text, [tool], max_bytes=LIMIT) == {}


@pytest.mark.parametrize(
    "text", ['{"threshold": 9}', '{"detect-motion": {"threshold": 9}}', '{"motion": {"threshold": 9}}']
)
def test_options_of_one_tool_may_be_wrapped_in_its_name(tool, text):
    assert parse_options(text, [tool], max_bytes=LIMIT) == {"detect-motion": {"threshold": 9}}


BAD = {
    "not JSON": ("{", "options: "),
    "NaN": ('{"threshold": NaN}', "options: "),
    "a list": ("[1]", "options: expected a JSON object, found an array"),
    "null": ("null", "options: expected a JSON object, found null"),
    "text": ('"threshold"', "options: expected a JSON object, found a string"),
    "too long": ('{"a": "' + "x" * LIMIT + '"}', f"at most {LIMIT}"),
    "out of range": ('{"threshold": 256}', "options.detect-motion.threshold: "),
    "wrong type deep inside": ('{"zones": [{"left": 1}, {"left": "x"}]}', "options.detect-motion.zones.1.left: "),
    "unknown name": ('{"treshold": 1}', "options.detect-motion.treshold: "),
    "unknown name, and which there are": ('{"treshold": 1}', "threshold, zones, mode"),
    "unknown name deep inside": ('{"zones": [], "mode": {"speed": 1, "x": 2}}', "options.detect-motion.mode.x: "),
    "missing name": ('{"zones": [{}]}', "options.detect-motion.zones.0.left: "),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_bad_options_are_refused_with_the_path_of_the_field(tool, text, said):
    with pytest.raises(ForgeSyteError) as caught:
        parse_options(text, [tool], max_bytes=LIMIT)

    assert caught.value.code is Code.OPTIONS_INVALID
    assert said in caught.value.detail


@pytest.mark.parametrize("text", ['{"threshold": 1}', '{"track": 1}'], ids=["not by tool", "no object"])
def test_options_of_several_tools_are_given_by_tool(tool, other, text):
    with pytest.raises(ForgeSyteError) as caught:
        parse_options(text, [tool, other], max_bytes=LIMIT)

    assert caught.value.code is Code.OPTIONS_INVALID


@pytest.mark.parametrize(
    "schema",
    [{"type": "no such type"}, {"$ref": "https://example.invalid/schema.json"}, {"$ref": "#/$defs/nowhere"}],
    ids=["broken", "elsewhere", "dangling"],
)
def test_a_broken_schema_is_the_plugins_fault_and_nothing_is_fetched(make, schema, monkeypatch):
    fetched = []
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **_: fetched.append(args))

    with pytest.raises(ForgeSyteError) as caught:
        parse_options('{"a": 1}', [make.a_tool(options_schema=schema)], max_bytes=LIMIT)

    assert caught.value.code is Code.PLUGIN_UNAVAILABLE
    assert fetched == []


JSON_WORDS = {
    "null": ('{"threshold": null}', "expected an integer, found null"),
    "true": ('{"threshold": true}', "expected an integer, found true"),
    "text": ('{"threshold": "a\\"b"}', 'expected an integer, found "a\\"b"'),
    "object": ('{"zones": {"left": null}}', 'expected an array, found {"left":null}'),
    "number": ('{"threshold": 256}', "expected at most 255, found 256"),
    "choice": ('{"colour": false}', 'expected one of "red", null, true, found false'),
    "bound": ('{"share": 0}', "expected more than 0, found 0"),
    "other keyword": ('{"tags": [1]}', "expected what the schema's contains asks for"),
    "type or null": ('{"limit": "a"}', 'expected an integer or null, found "a"'),
    "one entry": ('{"names": []}', "expected at least 1 entry, found []"),
    "nothing": ('{"old": true}', "expected no value here, found true"),
    "several types": ('{"mode": 1}', "expected an object or null, found 1"),
}


@pytest.mark.parametrize(("text", "said"), JSON_WORDS.values(), ids=JSON_WORDS)
def test_what_is_wrong_is_said_in_json_as_the_client_wrote_it(make, text, said):
    schema = Options.model_json_schema()
    schema["properties"] |= {
        "colour": {"enum": ["red", None, True]},
        "share": {"exclusiveMinimum": 0},
        "tags": {"contains": {"const": None}},
        "mode": {"type": ["object", "null"]},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "names": {"minItems": 1},
        "old": False,
    }

    with pytest.raises(ForgeSyteError) as caught:
        parse_options(text, [make.a_tool(options_schema=schema)], max_bytes=LIMIT)

    assert said in caught.value.detail
    assert not {"None", "True", "False", "'"} & set(caught.value.detail.replace("'s ", " ").split())
