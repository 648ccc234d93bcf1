"""Rules of the house that no linter knows: size of modules and folders, one name per idea, subjects in one place."""

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from forgesyte_inspector.settings import InspectorSettings
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_realtime_gateway.settings import GatewaySettings

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path
    for pattern in ("services/*/forgesyte_*", "plugins/*/forgesyte_*")
    for package in ROOT.glob(pattern)
    for path in package.rglob("*.py")
)
FOLDERS = sorted({path.parent for path in MODULES})
MAX_LINES = 400
MAX_MODULES = 16

GROWING = {"child/media": 12, "plugin-runner/forgesyte_plugin_runner/attempt": 12, "job-api/forgesyte_job_api": 12}
"""Folders that the next issues add to: they are kept smaller."""

SHARED_NAMES = {
    "Box": "the sdk's output for plugin authors, and the box of a frame message: both are called so by the contract",
    "PluginMetadata": "the inspector's and the realtime message's `metadata`: both are called so by the contract",
}
"""Public classes that bear one name in two modules, each with its reason; at most five."""


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 30


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_holds_at_most_16_modules_and_says_what_it_never_imports(folder):
    bound = next((bound for name, bound in GROWING.items() if str(folder).endswith(name)), MAX_MODULES)
    init = folder / "__init__.py"

    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= bound
    assert init.exists()
    assert re.search(r"\bnever import", ast.get_docstring(ast.parse(init.read_text())) or "", re.IGNORECASE)


def test_a_public_class_name_stands_in_one_module():
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))

    assert {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED_NAMES} == {}
    assert len(SHARED_NAMES) <= 5


def test_subjects_are_spelled_in_contracts_subjects_alone():
    spelled = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.name != "subjects.py" and re.search(r"""["']forgesyte\.(work|live|control)""", path.read_text())
    ]

    assert spelled == []


def test_modules_are_named_for_what_they_hold():
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}

    assert [path for path in MODULES if path.stem in banned] == []


def test_no_address_of_a_registry_stands_in_the_pins():
    lock = (ROOT / "requirements.lock").read_text()

    assert "://" not in lock
    assert "file:" not in lock


def test_uv_lock_is_not_tracked():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()

    assert not [name for name in tracked if name.endswith("uv.lock")]


def test_no_two_services_answer_on_the_same_public_port():
    defaults = [
        settings.model_fields["port"].default for settings in (JobApiSettings, GatewaySettings, InspectorSettings)
    ]

    assert sorted(defaults) == [8000, 8001, 8002]
