"""Each member declares what it imports and nothing else: read from the source, and tried in a venv of its own."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MEMBERS = sorted(
    path.parent for pattern in ("services", "plugins") for path in ROOT.glob(f"{pattern}/*/pyproject.toml")
)
DEPTRY = Path(sys.executable).parent / "deptry"
UV = next(
    (str(path) for path in (ROOT / ".uv" / "bin" / "uv", shutil.which("uv")) if path and Path(path).exists()), None
)

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
for name in names:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
print(len(names))
"""

needs_deptry = pytest.mark.skipif(not DEPTRY.exists(), reason="deptry is not installed here")
needs_uv = pytest.mark.skipif(UV is None, reason="uv is neither at .uv/bin/uv nor on PATH")
each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)


def package_of(member: Path) -> str:
    (package,) = [path.name for path in member.glob("forgesyte_*") if path.is_dir()]
    return package


def copy_of(member: Path, folder: Path) -> Path:
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    return Path(shutil.copytree(member, folder / member.name, ignore=ignored))


def deptry(member: Path) -> subprocess.CompletedProcess[str]:
    """What `make lint` runs: in the member's folder, by its own pyproject.toml; deptry leaves `tests` out itself."""
    return subprocess.run(
        [str(DEPTRY), ".", "--no-ansi"],
        cwd=member,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def in_a_venv(member: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Install a member with what it declares, at the pinned versions, and import every module of it."""
    python = folder / "venv" / "bin" / "python"
    # What uv built of a member before is not what stands there now.
    fresh = [part for found in MEMBERS for part in ("--refresh-package", f"forgesyte-{found.name}")]
    constraints = ["-c", str(ROOT / "requirements.lock")]
    for command in (
        [UV, "venv", "-q", "--python", sys.executable, str(folder / "venv")],
        [UV, "pip", "install", "-q", "--python", str(python), *constraints, *fresh, str(member)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
    return subprocess.run(
        [str(python), "-I", "-c", IMPORT_ALL, package_of(member)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_member_is_looked_at():
    assert len(MEMBERS) >= 8
    for member in MEMBERS:
        assert tomllib.loads((member / "pyproject.toml").read_text())["project"]["name"] == f"forgesyte-{member.name}"


@needs_deptry
@each_member
def test_a_member_declares_what_it_imports_and_nothing_else(member):
    done = deptry(member)

    assert done.returncode == 0, done.stdout + done.stderr


@needs_deptry
@pytest.mark.parametrize(
    ("line", "finding"),
    [("import not_known_anywhere", "DEP001"), ("import nats", "DEP003")],
    ids=["installed nowhere", "installed for another member"],
)
def test_an_undeclared_import_is_caught(tmp_path, line, finding):
    member = copy_of(ROOT / "services" / "job-api", tmp_path)
    module = member / "forgesyte_job_api" / "app.py"
    module.write_text(f"{module.read_text()}\n{line}\n")

    done = deptry(member)

    assert done.returncode == 1
    assert finding in done.stdout + done.stderr


@needs_deptry
def test_a_dependency_that_is_never_imported_is_caught(tmp_path):
    member = copy_of(ROOT / "services" / "contracts", tmp_path)
    project = member / "pyproject.toml"
    project.write_text(project.read_text().replace("dependencies = [", 'dependencies = [\n    "orjson>=3.11",'))

    done = deptry(member)

    assert done.returncode == 1
    assert "DEP002" in done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_uv
@each_member
def test_every_module_of_a_member_can_be_imported_with_what_it_declares(member, tmp_path):
    done = in_a_venv(member, tmp_path)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_uv
def test_an_undeclared_import_fails_in_a_venv_of_its_own(tmp_path):
    member = copy_of(ROOT / "services" / "contracts", tmp_path)
    module = member / "forgesyte_contracts" / "ids.py"
    module.write_text(f"{module.read_text()}\nimport orjson\n")

    done = in_a_venv(member, tmp_path)

    assert done.returncode == 1
    assert "No module named 'orjson'" in done.stderr
