"""A plugin's manifest is read in a sandbox, and not believed before it was validated here."""

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.read_manifest import judge_manifest, read_manifest
from forgesyte_sandbox.shared.wall_rules import Grants

from ..conftest import LIMITS

LARGE_TOOL = {"name": "measure", "options_schema": {"title": "x" * 140_000}}
MANIFEST = {"name": "good", "version": "0.1.0", "tools": [{"name": "measure"}]}


def found(name="good", entry_point="sandbox_plugins:Good") -> FoundPlugin:
    return FoundPlugin(name, entry_point, "dist-one 1.0")


def an_outcome(manifest=None, error=None) -> SandboxOutcome:
    return SandboxOutcome(error is None, {"manifest": manifest}, error, None, 1.0, "failed" if error else "succeeded")


async def test_a_good_plugin_is_ready(bench):
    read = await read_manifest(bench.zygote, found(), limits=LIMITS)

    assert (read.is_ready, read.reason, read.manifest.name) == (True, None, "good")


async def test_a_plugin_that_lacks_something_keeps_its_manifest_and_says_what(bench):
    plugin = found(entry_point="sandbox_plugins:Lacks")

    read = await read_manifest(bench.zygote, plugin, limits=LIMITS)

    assert (read.is_ready, read.outcome.code, read.manifest.name) == (False, Code.PLUGIN_UNAVAILABLE, "good")
    assert read.reason == "the model weights.bin is missing; download it into /models"


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        pytest.param({"name": "good"}, "its manifest is invalid: version: ", id="not valid"),
        pytest.param({**MANIFEST, "name": "other"}, "its manifest says 'other' and its entry point 'good'", id="name"),
        pytest.param({**MANIFEST, "tools": [LARGE_TOOL]}, "its manifest has 137 KiB, at most 128 KiB", id="large"),
        pytest.param(None, "its sandbox returned no manifest", id="none"),
    ],
)
def test_a_manifest_that_is_not_to_be_believed_has_a_reason(manifest, reason):
    read = judge_manifest(found(), an_outcome(manifest))

    assert (read.is_ready, read.manifest) == (False, None)
    assert read.reason.startswith(reason)


class DyingZygote:
    """A zygote that dies with its first two runs."""

    def __init__(self):
        self.runs = 0

    async def run(self, order):
        self.runs += 1
        if self.runs < 3:
            return SandboxOutcome(False, None, "the zygote ended", "released", 1.0, "released")
        return an_outcome(MANIFEST)


async def test_a_run_that_its_zygote_took_along_is_tried_again():
    read = await read_manifest(DyingZygote(), found(), limits=LIMITS)

    assert read.is_ready


class Recorder:
    """A zygote that answers each run with the next outcome and keeps the orders."""

    def __init__(self, *outcomes):
        self.outcomes, self.orders = list(outcomes), []

    async def run(self, order):
        self.orders.append(order)
        return self.outcomes.pop(0)


async def test_a_plugin_is_read_in_one_run_with_what_it_is_granted():
    zygote, grants = Recorder(an_outcome(MANIFEST)), Grants(reads=("/models/net.onnx",))

    read = await read_manifest(zygote, found(), limits=LIMITS, grants=grants)

    assert read.is_ready
    assert [(order.grants, order.spec.validates) for order in zygote.orders] == [(grants, True)]


async def test_a_plugin_that_dies_in_validate_still_says_who_it_is(bench):
    read = await read_manifest(bench.zygote, found(entry_point="sandbox_plugins:DiesInValidate"), limits=LIMITS)

    assert (read.is_ready, read.outcome.kind, read.manifest.name) == (False, "crashed", "good")


async def test_a_plugin_that_dies_at_import_stays_unknown():
    crash = SandboxOutcome(False, None, "its process died", None, 1.0, "crashed")
    zygote = Recorder(crash, crash)

    read = await read_manifest(zygote, found(), limits=LIMITS)

    assert (read.outcome, read.manifest) == (crash, None)
    assert [order.spec.validates for order in zygote.orders] == [True, False]
