"""The layers hold, and the check that says so bites: each planted violation is caught under its contract's name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = str(Path(sys.executable).parent / "lint-imports")

PLANTED = [
    (
        "contracts/forgesyte_contracts/ids.py",
        "import forgesyte_chassis.store.blobs",
        "Rooms know only the rooms below them",
    ),
    ("job-api/forgesyte_job_api/app.py", "import forgesyte_plugin_runner", "Rooms know only the rooms below them"),
    ("sandbox/forgesyte_sandbox/parent.py", "import cv2", "never import media or plugin code"),
    ("sandbox/forgesyte_sandbox/limits.py", "import forgesyte_chassis.logs", "The sandbox starts small"),
    ("job-api/forgesyte_job_api/app.py", "import nats", "nats is known to chassis.bus alone"),
    ("motion-detector/forgesyte_motion_detector/__init__.py", "import forgesyte_chassis", "Plugins import the sdk"),
    ("contracts/forgesyte_contracts/jobs.py", "import nats", "Contracts need pydantic alone"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the layers check over the packages below `tree`, which stand in front of the installed ones."""
    members = ":".join(str(member) for member in sorted(tree.iterdir()))
    return subprocess.run(
        [LINT, "--config", str(ROOT / ".importlinter"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": members, "COLUMNS": "200"},
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of all members, to plant violations in."""
    ignore = shutil.ignore_patterns("tests", "__pycache__")
    for member in (*ROOT.glob("services/*"), *ROOT.glob("plugins/*")):
        shutil.copytree(member, tmp_path / member.name, ignore=ignore)
    return tmp_path


def test_the_layers_hold(tree):
    answer = lint(tree)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED, ids=[f"{f.split('/')[0]}: {x}" for f, x, _ in PLANTED])
def test_a_planted_violation_is_caught(tree, file, line, contract):
    path = tree / file
    path.write_text(f"{path.read_text()}\n{line}\n")

    answer = lint(tree)

    assert answer.returncode == 1
    assert any(contract in text and "BROKEN" in text for text in answer.stdout.splitlines()), answer.stdout
