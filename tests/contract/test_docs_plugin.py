"""docs/writing-a-plugin.md is right: its package builds, installs, is offered and yields the rows the page shows."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from forgesyte_chassis.settings import env_name
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sdk import Permissions
from tests.support import make_clip, running_stack

PAGE = Path(__file__).parent.parent.parent / "docs" / "writing-a-plugin.md"

VIDEO = {"Content-Type": "video/mp4"}

pytestmark = pytest.mark.slow


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the page's package installed in it: built into a wheel, and that unpacked."""
    package, site = tmp_path / "street-light", tmp_path / "site"
    package.mkdir()
    (package / "pyproject.toml").write_text(*blocks("toml"))
    (package / "street_light.py").write_text(*blocks("python"))
    built = subprocess.run(
        (str(Path(sys.executable).parent / "hatchling"), "build", "-t", "wheel"),
        cwd=package, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = (package / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_the_permissions_that_the_page_shows_can_be_asked_for():
    (shown,) = blocks("py")
    plugin = {"Permissions": Permissions}

    exec(shown, plugin)

    assert str(plugin["permissions"]) == "to read /data/maps and the devices /dev/video0"
    assert env_name(RunnerSettings, "permitted_plugins") in PAGE.read_text()


async def test_the_package_of_the_page_is_offered_and_gives_the_rows_it_shows(tmp_path, site):
    clip = make_clip(tmp_path / "street.mp4", frames=20)
    async with running_stack(tmp_path / "data", env={"PYTHONPATH": str(site)}) as stack:
        health = (await stack.http.get("/v1/plugins/street-light/health")).json()
        assert (health["state"], health["description"]) == ("INITIALIZED", "Reports when the light goes on.")

        job = await stack.ended(await stack.submit(clip, "measure-light", "street-light", threshold=100))
        assert job["status"] == "completed", job
        rows = await stack.rows(job["job_id"])

        wrong = {"plugin_id": "street-light", "tool": "measure-light", "options": '{"threshold": 300}'}
        refused = await stack.http.post("/v1/video/submit", params=wrong, content=clip.read_bytes(), headers=VIDEO)
        assert (refused.status_code, refused.json()["code"]) == (422, "OPTIONS_INVALID")

    (shown,) = blocks("json")
    assert len(rows) == 20
    assert rows[0] == json.loads(shown)
    assert sum(row["detections"]["is_change"] for row in rows) == 1


def test_every_file_the_page_links_to_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text())

    assert [link for link in links if not (PAGE.parent / link).exists()] == []
