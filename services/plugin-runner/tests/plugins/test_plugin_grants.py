"""What a plugin's sandboxes may use, and what no operator can give them."""

import sys
from pathlib import Path

import pytest

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_plugin_runner.plugins.plugin_grants import device_of, grants_for, refusal
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.wall_rules import Grants

ASKS = {"read": ["/maps"], "devices": ["/dev/video0"]}
SUM = "0" * 64


def a_manifest(
    permissions: object = None, *models: str, sha256: str | None = None, **requires: object
) -> PluginManifest:
    files = [{"name": "net", "path": path, "sha256": sha256} for path in models]
    facts = {"name": "seeker", "version": "1.0.0", "tools": [{"name": "seek"}], "permissions": permissions or {}}
    return PluginManifest.model_validate({**facts, "requires": {**requires, "models": files}})


def settings(data: Path, *permitted: str) -> RunnerSettings:
    return RunnerSettings(
        scratch_dir=str(data / "scratch"), store_url=str(data / "store"), private_dirs=str(data / "more"),
        permitted_plugins=permitted,
    )  # fmt: skip


def test_an_ordinary_plugin_is_granted_nothing_and_refused_nothing(tmp_path):
    assert grants_for(a_manifest(), "cpu") == Grants()
    assert refusal(settings(tmp_path), a_manifest()) is None


def test_a_model_file_of_known_content_needs_no_permission(tmp_path):
    manifest = a_manifest(None, "/models/net.onnx", "relative.onnx", sha256=SUM)

    assert refusal(settings(tmp_path), manifest) is None
    assert grants_for(manifest, "cpu") == Grants(reads=("/models/net.onnx",))


@pytest.mark.parametrize("path", ["/etc/krb5.keytab", "/var/log/wtmp", f"{sys.prefix}/../../../etc/shadow"])
def test_a_file_of_unknown_content_is_refused_with_both_remedies(tmp_path, path):
    reason = refusal(settings(tmp_path), a_manifest(None, path))

    assert reason == (
        f"its model file {path} lies outside the installed packages and has no sha256, so it could be any file; add "
        "its sha256 to the manifest, or name seeker in FORGESYTE_RUNNER_PERMITTED_PLUGINS (on one box: --permit "
        "seeker) if you trust it with that file"
    )


def test_a_named_plugin_gets_its_model_file_of_unknown_content(tmp_path):
    manifest = a_manifest(None, "/models/net.onnx")

    assert refusal(settings(tmp_path, "seeker"), manifest) is None
    assert grants_for(manifest, "cpu") == Grants(reads=("/models/net.onnx",))


@pytest.mark.parametrize("folder", ["/environment", "/python", "/packages"])
def test_a_model_file_beside_the_installed_packages_needs_no_grant(tmp_path, monkeypatch, folder):
    for name, value in {"prefix": "/environment", "base_prefix": "/python", "path": ["/packages", "/"]}.items():
        monkeypatch.setattr(sys, name, value)
    manifest = a_manifest(None, f"{folder}/seeker/net.onnx")

    assert refusal(settings(tmp_path), manifest) is None
    assert grants_for(manifest, "cpu") == Grants()


def test_a_link_among_the_packages_counts_as_the_file_behind_it_and_that_is_granted(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "net.onnx").symlink_to(tmp_path / "elsewhere")
    link = str(tmp_path / "packages" / "net.onnx")

    assert "could be any file" in refusal(settings(tmp_path / "data"), a_manifest(None, link))
    assert grants_for(a_manifest(None, link, sha256=SUM), "cpu") == Grants(reads=(str(tmp_path / "elsewhere"),))


def test_a_plugin_that_is_not_named_is_refused_with_what_it_asks_for_and_the_remedy(tmp_path):
    reason = refusal(settings(tmp_path, "other"), a_manifest(ASKS))

    assert reason == (
        "it asks for permission to read /maps and the devices /dev/video0, and the operator has not allowed it; name "
        "seeker in FORGESYTE_RUNNER_PERMITTED_PLUGINS (on one box: --permit seeker) if you trust it with that, or "
        "remove the permission from the plugin"
    )


def test_a_named_plugin_gets_what_it_asks_for_once(tmp_path):
    manifest = a_manifest(ASKS, "/maps", "/models/net.onnx")

    assert refusal(settings(tmp_path, "seeker"), manifest) is None
    assert grants_for(manifest, "cpu") == Grants(reads=("/maps", "/models/net.onnx"), devices=("/dev/video0",))


@pytest.mark.parametrize("part", ["scratch", "store/jobs", "more/bus-token", "", "link/store"])
def test_what_belongs_to_the_services_is_never_granted(tmp_path, part):
    (tmp_path / "link").symlink_to(".")
    path = tmp_path / part

    assert "which no plugin may read" in refusal(settings(tmp_path, "seeker"), a_manifest({"read": [str(path)]}))
    assert "put it elsewhere" in refusal(settings(tmp_path, "seeker"), a_manifest(None, str(path)))


def test_a_folder_beside_those_of_the_services_is_granted(tmp_path):
    assert refusal(settings(tmp_path, "seeker"), a_manifest({"read": [str(tmp_path / "store-2")]})) is None


def test_on_a_gpu_the_nvidia_devices_that_exist_are_granted_too(tmp_path):
    dev, driver = tmp_path / "dev", tmp_path / "driver"
    (dev / "nvidia-caps").mkdir(parents=True)
    driver.mkdir()
    names = ("nvidia-caps/nvidia-cap1", "nvidia-uvm", "nvidia0", "nvidiactl")
    for name in (*names, "sda"):
        (dev / name).touch()
    manifest = a_manifest(gpu=True)

    grants = grants_for(manifest, device_of(manifest), dev=dev, driver=driver)

    assert grants == Grants(reads=(str(driver),), devices=tuple(str(dev / name) for name in names))
    assert grants_for(manifest, "cpu", dev=dev, driver=driver) == Grants()


def test_both_services_close_the_same_folders(tmp_path):
    folders = {"scratch_dir": str(tmp_path / "scratch"), "store_url": f"file://{tmp_path}/store"}

    assert RunnerSettings(**folders).own_wall() == JobApiSettings(**folders).own_wall()
    assert len(RunnerSettings(**folders).own_wall().private) == 2
    assert len(RunnerSettings(**{**folders, "store_url": "s3://bucket/x"}).own_wall().private) == 1
