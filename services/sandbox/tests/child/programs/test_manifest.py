"""The manifest program: what a plugin is, and whether it can work here."""

import pytest

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code


async def test_a_good_plugin_is_initialized_with_its_manifest(bench):
    outcome = await bench.manifest("sandbox_plugins:Good")

    assert outcome.ok, outcome
    assert (outcome.result["state"], outcome.result["reason"]) == ("INITIALIZED", None)
    manifest = PluginManifest.model_validate(outcome.result["manifest"])
    assert [tool.name for tool in manifest.tools] == ["measure", "count"]
    assert manifest.tool("measure-old").options_schema["properties"]["channel"]["type"] == "integer"


async def test_a_plugin_that_lacks_something_is_unavailable_and_still_known(bench):
    outcome = await bench.manifest("sandbox_plugins:Lacks")

    assert (outcome.ok, outcome.code, outcome.error_type) == (False, Code.PLUGIN_UNAVAILABLE, "PluginUnavailable")
    assert outcome.result["state"] == "UNAVAILABLE"
    assert outcome.result["reason"] == "the model weights.bin is missing; download it into /models"
    assert outcome.result["manifest"]["name"] == "good"


@pytest.mark.parametrize(
    ("entry_point", "error_type", "reason", "has_manifest"),
    [
        pytest.param("sandbox_broken_import:X", "ModuleNotFoundError", "no_such_package_anywhere", False, id="import"),
        pytest.param("sandbox_plugins:Nothing", "AttributeError", "Nothing", False, id="no such class"),
        pytest.param("sandbox_plugins:NotAPlugin", "TypeError", "derived from forgesyte_sdk.Plugin", False, id="class"),
        pytest.param("sandbox_plugins:FailsToConstruct", "ValueError", "purple", True, id="construct"),
        pytest.param("sandbox_plugins:FailsToValidate", "RuntimeError", "upside down", True, id="validate"),
    ],
)
async def test_a_broken_plugin_is_failed_with_its_reason(bench, entry_point, error_type, reason, has_manifest):
    outcome = await bench.manifest(entry_point)

    assert (outcome.kind, outcome.code, outcome.error_type) == ("failed", Code.PLUGIN_ERROR, error_type)
    assert outcome.result["state"] == "FAILED"
    assert reason in outcome.result["reason"]
    assert (outcome.result["manifest"] is not None) is has_manifest
    assert outcome.traceback


async def test_a_plugin_that_eats_all_memory_in_validate_is_oom(bench):
    outcome = await bench.manifest("sandbox_plugins:LeavesMuch")

    assert outcome.kind == "oom"
