"""The locks: a heavy group is in no install that does not ask for it, and nothing in a lock says where it came from."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASE = "requirements.lock"
LOCKS = sorted(file.name for file in ROOT.glob("requirements*.lock"))
GROUPS = [name.removeprefix("requirements-").removesuffix(".lock") for name in LOCKS if name != BASE]
PLANTED = """
[project]
name = "forgesyte-heavy-detector"
version = "0.1.0"
dependencies = ["torch"]

[tool.forgesyte]
group = "torch"
"""
ADDRESS = re.compile(r"://|@ |^-", re.MULTILINE)
"""A URL, a direct reference, or an option such as --index-url at the start of a line."""


def pins(lock: str) -> dict[str, str]:
    """The version of each distribution in a lock."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def run(root: Path, *command: str) -> list[str]:
    """The lines that a command of .ci prints in this tree."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def members(root: Path, *arguments: str) -> list[str]:
    return run(root, sys.executable, ".ci/members", *arguments)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What .ci/lock reads of the tree: its scripts and every pyproject.toml."""
    for file in [
        *ROOT.glob(".ci/*"),
        *ROOT.glob("*/*/pyproject.toml"),
        ROOT / "pyproject.toml",
        ROOT / ".python-version",
    ]:
        to = tmp_path / file.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)
    return tmp_path


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_an_address(lock):
    assert ADDRESS.findall((ROOT / lock).read_text()) == []


def test_every_group_has_its_lock():
    assert members(ROOT, "groups") == GROUPS


def test_torch_is_in_the_lock_of_its_group_alone():
    assert [lock for lock in LOCKS if "torch" in pins(lock)] == ["requirements-torch.lock"]
    assert not [name for name in pins(BASE) if name.startswith(("nvidia-", "triton"))]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_agrees_with_the_base_on_every_version(group):
    base, own = pins(BASE), pins(f"requirements-{group}.lock")

    assert {name: version for name, version in own.items() if base.get(name, version) != version} == {}


def test_a_member_without_a_group_is_in_the_base(copy):
    assert members(copy, "of", "base") == members(ROOT, "of", "base")
    assert {"services/chassis", "plugins/sdk"} <= {*members(copy, "of", "base")}


@pytest.mark.parametrize("group", ["torch", "new-group"])
def test_a_planted_heavy_member_goes_to_the_lock_of_its_group_alone(copy, group):
    heavy = copy / "plugins" / "heavy-detector"
    heavy.mkdir()
    (heavy / "pyproject.toml").write_text(PLANTED.replace('group = "torch"', f'group = "{group}"'))

    assert members(copy, "of", group) == ["plugins/heavy-detector"]
    assert group in members(copy, "groups")
    assert "plugins/heavy-detector" not in members(copy, "of", "base")
    # Each command that .ci/lock would run ends with the lock it writes.
    reading = [line for line in run(copy, ".ci/lock", "--show") if "plugins/heavy-detector/pyproject.toml" in line]
    assert [line.split()[-1] for line in reading] == [f"requirements-{group}.lock"]
