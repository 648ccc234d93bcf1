"""A wheel of the launcher carries the page that was built, and finds it where it is installed."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

LAUNCHER = Path(__file__).parents[3]
PAGE = {"forgesyte_launcher/page/index.html", "forgesyte_launcher/page/assets/index.js"}


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    """A copy of the launcher in a tree with a page of two files."""
    copy = tmp_path / "services" / "launcher"
    shutil.copytree(LAUNCHER, copy, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    assets = tmp_path / "web-ui" / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets / "index.js").write_text("export {};")
    (assets.parent / "index.html").write_text("<!doctype html>")
    return copy


def build(folder: Path, target: str = "wheel") -> Path:
    out = folder / "out"
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (built,) = out.iterdir()
    return built


def pages_in(wheel: Path) -> set[str]:
    return {name for name in ZipFile(wheel).namelist() if name.startswith("forgesyte_launcher/page/")}


def test_a_wheel_has_the_page_and_the_installed_launcher_serves_it(launcher, tmp_path):
    wheel = build(launcher)
    installed = tmp_path / "installed"
    ZipFile(wheel).extractall(installed)

    code = "from forgesyte_launcher.stack.page.page_folders import page_folders; print(*page_folders(), sep='\\n')"
    asked = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert pages_in(wheel) == PAGE
    assert asked.stdout.splitlines() == [str(installed / "forgesyte_launcher" / "page")]


def test_a_wheel_that_is_built_from_the_packed_sources_has_it_too(launcher, tmp_path):
    sources = build(launcher, "sdist")
    shutil.unpack_archive(sources, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()

    assert pages_in(build(unpacked)) == PAGE


def test_without_a_built_page_a_wheel_is_built_without_it(launcher, tmp_path):
    shutil.rmtree(tmp_path / "web-ui")

    assert pages_in(build(launcher)) == set()
