import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code
from forgesyte_launcher.commands.installed_plugins import line_of
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.read_manifest import judge_manifest

LACKS = Code.PLUGIN_UNAVAILABLE
FOUND = FoundPlugin("motion-detector", "package:Class", "forgesyte-motion-detector 0.1.0")
MANIFEST = {"name": "motion-detector", "version": "0.1.0", "tools": [{"name": "detect-motion"}]}


def an_outcome(manifest=None, error=None, code=None) -> SandboxOutcome:
    kind = "failed" if error else "succeeded"
    return SandboxOutcome(error is None, {"manifest": manifest}, error, None, 1.0, kind, code)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        pytest.param(an_outcome(MANIFEST), PluginState.INITIALIZED, None, id="ready"),
        pytest.param(an_outcome(MANIFEST, "no GPU", LACKS), PluginState.UNAVAILABLE, "no GPU", id="lacks"),
        pytest.param(an_outcome(None, "boom", Code.PLUGIN_ERROR), PluginState.FAILED, "boom", id="raises"),
        pytest.param(
            SandboxOutcome(False, None, "segfault", None, 1.0, "crashed"), PluginState.FAILED, "seg", id="dies"
        ),
        pytest.param(an_outcome({"name": "x"}), PluginState.FAILED, "its manifest", id="invalid manifest"),
    ],
)
def test_what_a_sandbox_found_out_becomes_a_state_with_a_reason(outcome, state, reason):
    line = line_of(FOUND, judge_manifest(FOUND, outcome))

    assert line.state is state
    assert (line.reason is None) if reason is None else line.reason.startswith(reason)


def test_a_plugin_that_lacks_something_keeps_its_version_and_tools():
    line = line_of(FOUND, judge_manifest(FOUND, an_outcome(MANIFEST, "no GPU", Code.PLUGIN_UNAVAILABLE)))

    assert (line.version, line.tools) == ("0.1.0", ("detect-motion",))


def test_a_plugin_that_is_not_permitted_is_unavailable_although_it_loads():
    line = line_of(FOUND, judge_manifest(FOUND, an_outcome(MANIFEST)), "it asks for permission to read /maps")

    assert (line.state, line.reason) == (PluginState.UNAVAILABLE, "it asks for permission to read /maps")


def test_a_ready_plugin_is_shown_with_version_and_tools():
    line = line_of(FOUND, judge_manifest(FOUND, an_outcome(MANIFEST))).as_dict()

    assert (line["version"], line["tools"], line["state"]) == ("0.1.0", ["detect-motion"], "INITIALIZED")
