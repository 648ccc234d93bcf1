"""Rules of the house that no linter knows: size of modules, subjects in one place, no foreign words."""

import re
import subprocess
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
MAX_LINES = 400


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 30


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


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
