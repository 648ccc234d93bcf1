from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from forgesyte_sdk import (
    Detections,
    EmptyOptions,
    Frame,
    ModelFile,
    Permissions,
    Plugin,
    PluginContractError,
    PluginManifest,
    PluginUnavailable,
    Requires,
    Tool,
    ToolOptions,
)


class SizeOptions(ToolOptions):
    size: int = Field(default=3, ge=1, le=9)
    """How large."""


class FindThings(Tool[SizeOptions, Detections]):
    """Finds things."""

    name = "find-things"
    aliases = ("find",)

    def process_frame(self, frame: Frame) -> Detections:
        return Detections(detections=[])


def define(**attributes: Any) -> type[Plugin]:
    whole = {"name": "finder", "version": "1.2.3", "tools": (FindThings,), "__module__": __name__}
    return type("Finder", (Plugin,), {**whole, **attributes})


def a_tool(**attributes: Any) -> type[Tool[Any, Any]]:
    return type("OtherTool", (FindThings,), {"aliases": (), **attributes})


def test_manifest_says_what_the_class_says():
    plugin = define(
        __doc__="Finds.", author="A", license="MIT", capabilities=("things",), stateful=True, latency_budget_ms=5.0,
        isolation="plugin", requires=Requires(gpu=True, models=(ModelFile(name="m", path="m.bin"),)),
    )  # fmt: skip

    manifest = plugin.build_manifest()

    assert (manifest.name, manifest.version, manifest.description) == ("finder", "1.2.3", "Finds.")
    assert (manifest.author, manifest.license, manifest.capabilities) == ("A", "MIT", ("things",))
    assert (manifest.stateful, manifest.isolation, manifest.latency_budget_ms) == (True, "plugin", 5.0)
    assert manifest.requires.models[0].path == "m.bin"


def test_manifest_says_what_the_plugin_may_want_to_use():
    manifest = define(permissions=Permissions(read=("/data/maps",), devices=("/dev/video0",))).build_manifest()

    assert (manifest.permissions.read, manifest.permissions.devices) == (("/data/maps",), ("/dev/video0",))


def test_permission_of_another_form_is_refused_when_the_manifest_is_built():
    with pytest.raises(PluginContractError, match=r"permissions\.read\.0: .*expected an absolute path without '\.\.'"):
        define(permissions={"read": ("maps",)}).build_manifest()


def test_manifest_survives_the_way_through_json():
    manifest = define().build_manifest()

    assert PluginManifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_manifest_holds_the_schemas_of_options_and_output():
    tool = define().build_manifest().tools[0]

    assert tool.options_schema["additionalProperties"] is False
    assert tool.options_schema["properties"]["size"] == {
        "default": 3, "description": "How large.", "maximum": 9, "minimum": 1, "title": "Size", "type": "integer",
    }  # fmt: skip
    assert {"class", "center", "xyxy"} <= set(tool.output_schema["$defs"]["Box"]["properties"])
    assert (tool.title, tool.description, tool.inputs) == ("find-things", "Finds things.", ("video",))


@pytest.mark.parametrize("name", ["find-things", "find"])
def test_tool_is_found_by_id_and_by_alias(name):
    assert define().tool(name) is FindThings


def test_unknown_tool_is_none():
    assert define().tool("other") is None


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        pytest.param({"name": "Finder!"}, "the plugin: name 'Finder!'", id="name with other letters"),
        pytest.param({"name": None}, "the plugin: name None", id="no name"),
        pytest.param({"version": "1"}, "`version` is '1', expected SemVer", id="version"),
        pytest.param({"isolation": "none"}, "`isolation` is 'none'", id="isolation"),
        pytest.param({"tools": ()}, "`tools` is ()", id="no tools"),
        pytest.param({"tools": [FindThings]}, "expected a tuple", id="tools in a list"),
        pytest.param({"tools": (int,)}, "expected a class derived from Tool", id="tool of another kind"),
        pytest.param({"tools": (FindThings, FindThings)}, "found twice: find, find-things", id="tool twice"),
        pytest.param(
            {"tools": (FindThings, a_tool(name="other", aliases=("find",)))}, "found twice: find", id="alias twice"
        ),
        pytest.param({"tools": (a_tool(name="a b"),)}, "tool class OtherTool: name 'a b'", id="tool name"),
        pytest.param({"tools": (a_tool(inputs=("audio",)),)}, "`inputs` is ('audio',)", id="inputs"),
        pytest.param({"tools": (a_tool(Output=dict),)}, "`Output` is <class 'dict'>", id="output is no model"),
        pytest.param({"tools": (a_tool(Options=BaseModel),)}, "must refuse unknown fields", id="options too lenient"),
        pytest.param(
            {"tools": (a_tool(snapshot=lambda self: b""),)}, "snapshot but no restore", id="snapshot without restore"
        ),
        pytest.param(
            {"tools": (a_tool(__init__=lambda self: None),)},
            "__init__ takes (self), expected (self, plugin, options)",
            id="init of its own",
        ),
    ],
)
def test_class_that_breaks_the_contract_is_refused_when_it_is_defined(attributes, problem):
    with pytest.raises(PluginContractError) as caught:
        define(**attributes)

    assert problem in str(caught.value)
    assert len(caught.value.problems) == 1


def test_every_problem_is_named_at_once():
    with pytest.raises(PluginContractError) as caught:
        define(name="A", version="x", tools=(int,))

    assert len(caught.value.problems) == 3


def test_tool_without_process_frame_is_refused():
    class Idle(Tool[EmptyOptions, Detections]):
        name = "idle"

    with pytest.raises(PluginContractError, match="neither process_frame nor process_batch"):
        define(tools=(Idle,))


def test_tool_whose_brackets_and_attribute_differ_is_refused():
    class Torn(Tool[SizeOptions, Detections]):
        name = "torn"
        Options: ClassVar[type[BaseModel]] = EmptyOptions

        def process_frame(self, frame: Frame) -> Detections:
            return Detections(detections=[])

    with pytest.raises(PluginContractError, match=r"`Options` is EmptyOptions, but Tool\[\.\.\.\] names SizeOptions"):
        define(tools=(Torn,))


def test_output_without_a_json_schema_is_refused_when_the_manifest_is_built():
    class Opaque(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        thing: Plugin

    with pytest.raises(PluginContractError, match="tool find-things: Cannot generate a JsonSchema"):
        define(tools=(a_tool(Output=Opaque),)).build_manifest()


def test_value_that_no_manifest_allows_is_refused_when_the_manifest_is_built():
    with pytest.raises(PluginContractError, match="latency_budget_ms: "):
        define(latency_budget_ms=-1.0).build_manifest()


def test_tool_takes_its_models_from_the_brackets():
    assert (FindThings.Options, FindThings.Output) == (SizeOptions, Detections)


def test_batch_is_one_frame_after_the_other_unless_overridden():
    class Counting(FindThings):
        def process_frame(self, frame: Any) -> Any:
            return frame * 2

    tool = Counting(define()(), SizeOptions())

    assert tool.process_batch([1, 2, 3]) == [2, 4, 6]


def test_tool_may_override_process_batch_alone():
    class Batching(Tool[EmptyOptions, Detections]):
        name = "batching"

        def process_batch(self, frames: Sequence[Frame]) -> list[Detections]:
            return [Detections(detections=[]) for _ in frames]

    tool = define(tools=(Batching,)).tools[0](define()(), EmptyOptions())

    assert tool.process_frame(None) == Detections(detections=[])


@pytest.mark.parametrize("outputs", [[], [Detections(detections=[])] * 2], ids=["none", "two"])
def test_batch_with_wrong_number_of_outputs_is_named_in_the_error(outputs):
    tool = a_tool(process_frame=Tool.process_frame, process_batch=lambda self, frames: outputs)(None, EmptyOptions())

    with pytest.raises(ValueError, match=f"process_batch returned {len(outputs)} outputs for 1 frame"):
        tool.process_frame(None)


def test_tool_may_take_more_in_its_init_than_it_is_given():
    def init(self, plugin, options, extra=None):
        self.plugin, self.options = plugin, options

    assert define(tools=(a_tool(__init__=init),)).tools


def test_snapshot_is_none_unless_overridden():
    assert FindThings(define()(), SizeOptions()).snapshot() is None


def test_unavailable_keeps_its_reason():
    error = PluginUnavailable("no CUDA device: install a driver or use device=cpu")

    assert error.reason == str(error) == "no CUDA device: install a driver or use device=cpu"
