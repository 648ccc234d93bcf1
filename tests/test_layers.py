"""The layers hold, and the check that says so bites: each violation planted in a new folder breaks its contract.

All are planted in one copy of the tree, where they do not disturb each other: the linter runs twice in all.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
CIRCLE = "No circle, neither of modules nor of folders"
ROOMS = "Rooms know only the rooms below them"
PLUGINS = "Plugins import the sdk only"
PARENTS = "Processes that hold credentials never import media or plugin code"
LAUNCHER = "The launcher imports no media or plugin code but in demo_clip"
SMALL = "The sandbox starts small and holds no credentials"
WALL = "The two sides of the sandbox share nothing but forgesyte_sandbox.shared"
NATS = "nats is known to chassis.bus alone"


class Planted(NamedTuple):
    """One forbidden import: the new package it is planted in, what it imports, and the contract that must break."""

    package: str
    imports: str
    contract: str


SERVICES = sorted(package.name for package in ROOT.glob("services/*/forgesyte_*"))
APPLICATIONS = sorted(
    set(SERVICES) - {"forgesyte_contracts", "forgesyte_chassis", "forgesyte_sandbox", "forgesyte_launcher"}
)
NEW_SERVICE, NEW_PLUGIN = "forgesyte_new_service", "forgesyte_new_plugin"

PLANTED = [
    Planted("forgesyte_contracts.planted", "forgesyte_chassis.store.blobs", ROOMS),
    Planted("forgesyte_contracts.planted", "nats", "Contracts need pydantic alone"),
    Planted("forgesyte_chassis.planted", "forgesyte_sandbox.shared.limits", ROOMS),
    Planted("forgesyte_chassis.planted", "nats", NATS),
    Planted("forgesyte_chassis.planted", "obstore", "obstore is known to chassis.store alone"),
    Planted("forgesyte_chassis.planted", "cv2", PARENTS),
    Planted("forgesyte_chassis.store.planted", "forgesyte_chassis.bus", "Floors of chassis"),
    Planted("forgesyte_sandbox.parent.planted", "cv2", PARENTS),
    Planted("forgesyte_sandbox.parent.planted", "forgesyte_sandbox.child.context", WALL),
    Planted("forgesyte_sandbox.child.planted", "forgesyte_sandbox.parent.order", WALL),
    Planted("forgesyte_sandbox.child.planted", "forgesyte_chassis.logs", SMALL),
    Planted("forgesyte_sandbox.shared.planted", "forgesyte_sandbox.parent.order", WALL),
    Planted("forgesyte_sandbox.shared.planted", "torch", PARENTS),
    Planted("forgesyte_job_api.submit.planted", "forgesyte_job_api.routes.submit", "Floors of job-api"),
    Planted(
        "forgesyte_plugin_runner.plugins.planted", "forgesyte_plugin_runner.attempt.attempt", "Floors of plugin-runner"
    ),
    Planted(
        "forgesyte_realtime_gateway.clients.planted",
        "forgesyte_realtime_gateway.sockets.sockets",
        "Floors of realtime-gateway",
    ),
    Planted("forgesyte_launcher.stack.planted", "forgesyte_launcher.commands.cli", "Floors of the launcher"),
    Planted("forgesyte_launcher.planted", "cv2", LAUNCHER),
    Planted("forgesyte_launcher.planted", "forgesyte_motion_detector", LAUNCHER),
    Planted("forgesyte_launcher.planted", "nats", NATS),
    Planted("forgesyte_sdk.planted", "forgesyte_chassis.logs", SMALL),
    Planted("forgesyte_motion_detector.planted", "forgesyte_realtime_gateway.settings", PLUGINS),
    Planted("forgesyte_motion_detector.planted", "forgesyte_contracts.ids", PLUGINS),
    Planted(NEW_PLUGIN, "forgesyte_sandbox.shared.limits", PLUGINS),
    Planted(NEW_PLUGIN, "forgesyte_motion_detector", "Plugins do not know each other"),
    Planted(NEW_SERVICE, "forgesyte_job_api.settings", ROOMS),
    Planted(NEW_SERVICE, "av", PARENTS),
    Planted(NEW_SERVICE, "forgesyte_new_plugin", PARENTS),
    *(Planted(f"{name}.planted", "nats", NATS) for name in APPLICATIONS),
    *(Planted(f"{name}.planted", "numpy", PARENTS) for name in APPLICATIONS),
    *(
        Planted(f"{name}.planted", f"{other}.settings", ROOMS)
        for name, other in zip(APPLICATIONS, APPLICATIONS[1:] + APPLICATIONS[:1], strict=True)
    ),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "layers"), str(tree)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "400"},
    )


def copy_members(tree: Path) -> Path:
    ignore = shutil.ignore_patterns("tests", "__pycache__")
    for kind in ("services", "plugins"):
        shutil.copytree(ROOT / kind, tree / kind, ignore=ignore)
    for kind, package in (("services", NEW_SERVICE), ("plugins", NEW_PLUGIN)):
        folder = tree / kind / package.removeprefix("forgesyte_").replace("_", "-") / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    return tree


def folder_of(tree: Path, package: str) -> Path:
    """Return the folder of a package, made when it is new."""
    top, *rest = package.split(".")
    (room,) = tree.glob(f"*/*/{top}")
    folder = room.joinpath(*rest)
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """What the check says of a copy of all members, a new service and a new plugin among them."""
    return lint(copy_members(tmp_path_factory.mktemp("clean")))


@pytest.fixture(scope="module")
def violated(tmp_path_factory) -> str:
    """What the check says when every violation is planted, and a circle in a new folder of each room."""
    tree = copy_members(tmp_path_factory.mktemp("violated"))
    for number, planted in enumerate(PLANTED):
        (folder_of(tree, planted.package) / f"planted_{number}.py").write_text(f"import {planted.imports}\n")
    for room in tree.glob("*/*/forgesyte_*"):
        folder = folder_of(tree, f"{room.name}.circle")
        (folder / "one.py").write_text("from . import two\n")
        (folder / "two.py").write_text("from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from . import one\n")
    answer = lint(tree)
    assert answer.returncode == 1, answer.stderr
    return answer.stdout


def test_the_layers_hold(clean):
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert " 0 broken" in clean.stdout


@pytest.mark.parametrize(
    ("number", "planted"),
    list(enumerate(PLANTED)),
    ids=[f"{planted.package} imports {planted.imports}" for planted in PLANTED],
)
def test_a_planted_violation_is_caught(violated, number, planted):
    section = section_of(violated, planted.contract)

    assert f"{planted.package}.planted_{number}" in section


@pytest.mark.parametrize("room", [*SERVICES, *(package.name for package in ROOT.glob("plugins/*/forgesyte_*"))])
def test_a_planted_circle_is_caught_also_where_it_is_for_types_alone(violated, room):
    assert f"No cycles are allowed in {room}.circle." in section_of(violated, CIRCLE)


def section_of(report: str, contract: str) -> str:
    """Return the part of the report that explains how a contract is broken; fails when it is not."""
    details = report.partition("Broken contracts")[2]
    found = re.search(
        rf"^{re.escape(contract)}\n-+\n(.*?)(?=^[^\n]+\n-{{10,}}\n|\Z)", details, re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"not broken: {contract}\n{report}"
    return found[1]
