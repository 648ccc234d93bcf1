"""Dependency checking: what a manifest asks for is looked at before a job finds out, and named when it is missing."""

import os
from pathlib import Path

import pytest

from forgesyte_contracts.plugins import ModelFile, PluginManifest, PluginState
from forgesyte_plugin_runner.devices.gpucheck import GpuCheck, ask_smi, ask_torch
from forgesyte_plugin_runner.plugins.dependencies import DependencyChecker
from forgesyte_plugin_runner.plugins.modelfiles import fault_of
from tests.stability.runner import by_name, running_runner
from tests.stability.workbench import PLUGINS

MODELS = PLUGINS / "forgesyte_misbehaving" / "models"
REASONS = {
    "needs-package": "the package no_such_package_anywhere is not installed; install it",
    "model-missing": "missing.onnx (weights) is missing; put it there",
    "model-empty": "empty.onnx (weights) is truncated or corrupt: it has 0 bytes",
    "model-5-bytes": "five-bytes.onnx (weights) is truncated or corrupt: it has 5 bytes",
    "model-text": "text.onnx (weights) is text",
    "model-wrong-sum": "good.onnx (weights) has not the sha256",
    "model-folder": "folder.onnx (weights) is not a regular file",
}


def needing(**requires: object) -> PluginManifest:
    facts = {"name": "seeker", "version": "1.0.0", "tools": [{"name": "seek"}], "requires": requires}
    return PluginManifest.model_validate(facts)


def checker(*, torch: bool, smi: bool) -> DependencyChecker:
    async def say_torch() -> str | None:
        return None if torch else "torch.cuda.is_available() is False"

    async def say_smi() -> str | None:
        return None if smi else "nvidia-smi was not found"

    return DependencyChecker(GpuCheck(say_torch, say_smi))


async def test_a_missing_gpu_is_named_in_the_reason():
    reason = await checker(torch=False, smi=False).missing(needing(gpu=True))

    assert "GPU" in reason
    assert "CUDA" in reason


@pytest.mark.slow
async def test_the_torch_check_answers_on_this_machine_and_this_process_stays_without_torch():
    answer = await ask_torch()

    assert answer is None or "torch" in answer
    assert "torch" not in Path(f"/proc/{os.getpid()}/maps").read_text()


async def test_the_nvidia_smi_check_answers_on_this_machine():
    answer = await ask_smi()

    assert answer is None or answer.startswith("nvidia-smi")


@pytest.mark.parametrize(("torch", "smi"), [(True, True), (True, False), (False, True), (False, False)])
async def test_torch_and_nvidia_smi_are_both_needed(torch, smi):
    reason = await checker(torch=torch, smi=smi).missing(needing(gpu=True))

    assert (reason is None) == (torch and smi)


async def test_an_existing_good_model_file_passes():
    good = ModelFile(name="weights", path=str(MODELS / "good.onnx"))

    assert fault_of(good) is None
    assert await DependencyChecker().missing(needing(models=[good.model_dump()])) is None


async def test_a_file_of_five_bytes_is_reported_truncated_or_corrupt():
    reason = fault_of(ModelFile(name="weights", path=str(MODELS / "five-bytes.onnx")))

    assert "truncated or corrupt" in reason


@pytest.mark.slow
async def test_a_real_runner_shows_each_as_unavailable_with_its_reason_and_takes_the_good_one(tmp_path):
    names = ["healthy", "model-good", *REASONS]
    async with running_runner(tmp_path, names, loads_at_once=2) as runner:
        shown = by_name(await runner.heartbeat(len(names)))

    assert {name: shown[name].state for name in REASONS} == dict.fromkeys(REASONS, PluginState.UNAVAILABLE)
    assert {name: shown[name].reason for name in REASONS if REASONS[name] not in shown[name].reason} == {}
    assert all(shown[name].reason.endswith("reload the plugin or restart the runner") for name in REASONS)
    assert all(shown[name].manifest is not None for name in REASONS)
    assert (shown["model-good"].state, shown["healthy"].state) == (PluginState.INITIALIZED,) * 2
