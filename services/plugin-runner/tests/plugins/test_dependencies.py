"""What a plugin lacks on this machine, with injected answers and with real files and packages."""

import sys

import pytest

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.runners import Device
from forgesyte_plugin_runner.devices.gpucheck import GpuCheck
from forgesyte_plugin_runner.plugins.dependencies import DependencyChecker, has

GPU = Device(name="cuda:0", kind="gpu", memory_total_bytes=8 << 30)


def needing(**requires: object) -> PluginManifest:
    facts = {"name": "seeker", "version": "1.0.0", "tools": [{"name": "seek"}], "requires": requires}
    return PluginManifest.model_validate(facts)


def answers(*, torch: str | None = None, smi: str | None = None) -> DependencyChecker:
    async def say_torch() -> str | None:
        return torch

    async def say_smi() -> str | None:
        return smi

    return DependencyChecker(GpuCheck(say_torch, say_smi))


async def test_a_plugin_that_needs_nothing_lacks_nothing_and_nothing_is_checked():
    async def never() -> str | None:
        raise AssertionError("checked for a GPU that the plugin does not need")

    assert await DependencyChecker(GpuCheck(never, never)).missing(needing()) is None


@pytest.mark.parametrize(
    ("torch", "smi", "is_there"),
    [(None, None, True), ("no torch", None, False), (None, "no smi", False), ("no torch", "no smi", False)],
    ids=["both", "driver alone", "torch alone", "neither"],
)
async def test_a_gpu_is_there_when_torch_and_the_driver_both_say_so(torch, smi, is_there):
    missing = await answers(torch=torch, smi=smi).missing(needing(gpu=True))

    assert (missing is None) == is_there
    if missing:
        assert "GPU with CUDA" in missing
        assert all(text in missing for text in (torch, smi) if text)


async def test_a_gpu_that_is_too_small_is_named_with_both_sizes():
    manifest = needing(gpu=True, gpu_memory_bytes=16 << 30)

    missing = await answers().missing(manifest, [GPU])

    assert "16384 MiB" in missing
    assert "8192 MiB" in missing
    assert await answers().missing(manifest) is None, "a GPU whose memory is unknown may be large enough"


async def test_everything_that_is_missing_is_named_at_once(tmp_path):
    manifest = needing(
        gpu=True,
        packages=["no_such_package_anywhere", "json"],
        models=[{"name": "weights", "path": str(tmp_path / "weights.onnx")}],
    )

    missing = await answers(torch="torch is not installed").missing(manifest)

    for words in ("no_such_package_anywhere", "install it", "GPU", "torch is not installed", "weights.onnx"):
        assert words in missing
    assert "json" not in missing


async def test_the_gpu_is_asked_once_until_it_is_forgotten():
    asked: list[str] = []

    async def say() -> str | None:
        asked.append("asked")
        return None

    checker = DependencyChecker(GpuCheck(say, say))
    await checker.missing(needing(gpu=True))
    await checker.missing(needing(gpu=True))
    assert len(asked) == 2
    checker.forget()
    await checker.missing(needing(gpu=True))
    assert len(asked) == 4


def test_packages_are_found_without_importing_them_or_their_parents(tmp_path, monkeypatch):
    package = tmp_path / "explosive_package"
    (package / "inner").mkdir(parents=True)
    for folder in (package, package / "inner"):
        (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)

    assert has("explosive_package")
    assert has("explosive_package.inner")
    assert not has("explosive_package.outer")
    assert "explosive_package" not in sys.modules


@pytest.mark.parametrize("name", ["", ".", "a..b", "no such", "json;import", "json.decoder.nothing"])
def test_odd_names_are_missing_packages_and_raise_nothing(name):
    assert not has(name)
