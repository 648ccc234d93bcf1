"""What the sandboxes of a plugin may use beyond what is installed: its model files, and what the operator permitted.

A model file that a manifest names needs no permission where its content is known, by its sha256, or where every sandbox
may read it, beside the installed packages. Any other could be any file: it needs the operator's word, as paths and
devices under `permissions` do. What belongs to the services is never granted, neither by a permission nor as a model
file, and also not through a symlink.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from forgesyte_chassis.settings import env_name
from forgesyte_contracts.plugins import ModelFile, PluginManifest
from forgesyte_contracts.runners import GPU
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.wall_rules import Grants, is_too_wide

_DEV, _DRIVER = Path("/dev"), Path("/proc/driver/nvidia")


def grants_for(manifest: PluginManifest, device: str, *, dev: Path = _DEV, driver: Path = _DRIVER) -> Grants:
    """Return what a sandbox of this plugin may use on this kind of device; refusal() said before that it may.

    Args:
        manifest: the plugin's.
        device: `cpu` or `gpu`, where the plugin is loaded.
        dev, driver: where device files and NVIDIA's driver are; tests have their own.
    """
    # What refusal() looked at is what lies behind a link; so that is granted, not the link.
    models = (os.path.realpath(model.path) for model in manifest.requires.models if _needs_grant(model))
    reads = [*models, *manifest.permissions.read]
    devices = list(manifest.permissions.devices)
    if device == GPU and (nodes := _nvidia_nodes(dev)):
        devices += nodes
        reads += [str(driver)] if driver.exists() else []
    return Grants(reads=_once(reads), devices=_once(devices))


def device_of(manifest: PluginManifest) -> str:
    """Return the kind of device on which the plugin is validated."""
    return GPU if manifest.requires.gpu else "cpu"


def refusal(settings: RunnerSettings, manifest: PluginManifest) -> str | None:
    """Return what the plugin asks for and does not get, and what to do about it; None when it gets everything."""
    asked = manifest.permissions
    private = settings.own_wall().private
    faults = [
        f"it asks to read {path}, and {folder} belongs to the services, which no plugin may read; remove the permission"
        for path in (*asked.read, *asked.devices)
        if (folder := _overlap(path, private)) is not None
    ]
    faults += [
        f"its model file {model.path} lies in {folder}, which only the services may read; put it elsewhere"
        for model in manifest.requires.models
        if (folder := _overlap(model.path, private)) is not None
    ]
    if not faults and manifest.name not in settings.permitted_plugins:
        faults += _not_permitted(manifest)
    return ". ".join(faults) or None


def _not_permitted(manifest: PluginManifest) -> Iterator[str]:
    """Yield what only the operator can allow."""
    permit = (
        f"name {manifest.name} in {env_name(RunnerSettings, 'permitted_plugins')} (on one box: --permit "
        f"{manifest.name}) if you trust it with that"
    )
    if manifest.permissions:
        yield (
            f"it asks for permission {manifest.permissions}, and the operator has not allowed it; {permit}, or remove "
            "the permission from the plugin"
        )
    for model in manifest.requires.models:
        if model.sha256 is None and _needs_grant(model):
            yield (
                f"its model file {model.path} lies outside the installed packages and has no sha256, so it could be "
                f"any file; add its sha256 to the manifest, or {permit} file"
            )


def _needs_grant(model: ModelFile) -> bool:
    """Whether a model file is not among what every sandbox may read; one without an absolute path is refused before."""
    if not Path(model.path).is_absolute():
        return False
    roots = {Path(root).resolve() for root in (sys.prefix, sys.base_prefix, *filter(None, sys.path))}
    real = Path(os.path.realpath(model.path))
    return not any(real.is_relative_to(root) and not is_too_wide(root) for root in roots)


def _overlap(path: str, private: Iterable[str]) -> str | None:
    """Return the private folder in which a path lies, or which lies in it."""
    real = Path(os.path.realpath(path))
    folders = (Path(folder) for folder in private)
    return next((str(each) for each in folders if real.is_relative_to(each) or each.is_relative_to(real)), None)


def _nvidia_nodes(dev: Path) -> list[str]:
    found = (*dev.glob("nvidia*"), *dev.glob("nvidia-caps/*"))
    return sorted(str(path) for path in found if not path.is_dir())


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))
