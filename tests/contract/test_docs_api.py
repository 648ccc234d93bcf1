"""docs/api.md keeps its word: every public route stands there, and every curl line answers as it says."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY, routes_of
from tests.support import Stack, eventually

PAGE = Path(__file__).parent.parent.parent / "docs" / "api.md"
REALTIME_PAGE = PAGE.with_name("realtime.md")
ROUTES = (*routes_of(JOB_API), *routes_of(INSPECTOR))
"""Every route that is asked with curl; sockets have a page of their own."""

HEADING = re.compile(r"^### ((?:GET|POST|PUT|PATCH|DELETE) /\S+)$")
PROMISE = re.compile(r"^Answers `(\d{3})`")
CANCEL = "POST /v1/jobs/{job_id}/cancel"

CURLRC = 'silent\nnoproxy = "*"\nmax-time = 120\nwrite-out = "%{stderr}%{http_code}"\n'
"""curl reads it by itself, so the lines can run as they are printed and still tell their status."""


@dataclass(frozen=True)
class Example:
    """A block of the page: the route it stands under, the status it promises, the lines."""

    route: str
    status: str
    lines: str


def examples() -> list[Example]:
    """Every sh block with a curl line, in the order of the page."""
    found, route, status, block = [], "", "", None
    for line in PAGE.read_text().splitlines():
        if block is not None and line == "```":
            lines, block = "\n".join(block), None
            if "curl " in lines:
                found.append(Example(route, status, lines))
                status = ""
        elif block is not None:
            block.append(line)
        elif line == "```sh":
            block = []
        elif heading := HEADING.match(line):
            route, status = heading.group(1), ""
        elif promise := PROMISE.match(line):
            status = promise.group(1)
    return found


def section(route: str) -> str:
    """The page's text under one route."""
    return PAGE.read_text().partition(f"### {route}\n")[2].partition("\n### ")[0]


def named(example: Example) -> str:
    return f"{example.route} {example.status}"


@pytest.fixture
def job(stack: Stack, http: httpx.Client, video: Path) -> str:
    return submitted(http, video, "motion-detector", "detect-motion", until="completed")


@pytest.fixture
def running_job(stack: Stack, http: httpx.Client, video: Path) -> str:
    return submitted(http, video, "contract", "endless", until="running")


def submitted(http: httpx.Client, video: Path, plugin: str, tool: str, *, until: str) -> str:
    query = {"plugin_id": plugin, "tool": tool}
    media = {"Content-Type": "video/mp4"}
    answer = http.post("/v1/video/submit", params=query, headers=media, content=video.read_bytes())
    job_id = answer.json()["job_id"]
    asyncio.run(eventually(lambda: http.get(f"/v1/jobs/{job_id}").json()["status"] == until, 120, until))
    return job_id


def test_every_public_route_stands_on_the_page_and_nothing_else():
    told = {match.group(1) for line in PAGE.read_text().splitlines() if (match := HEADING.match(line))}

    assert told == {f"{route.method} {route.path}" for route in ROUTES}


def test_sockets_and_events_stand_on_their_own_page():
    page = REALTIME_PAGE.read_text()

    assert f"]({REALTIME_PAGE.name})" in PAGE.read_text()
    assert [route.path for route in routes_of(REALTIME_GATEWAY) if route.path not in page] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_has_a_curl_line_that_succeeds(route):
    statuses = [example.status for example in examples() if example.route == f"{route.method} {route.path}"]

    assert statuses
    assert statuses[0].startswith("2")
    assert "" not in statuses, "a line without `Answers NNN` above it"


def test_every_code_on_the_page_is_one_of_ours():
    told = {word for word in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE.read_text()) if word[:10] != "FORGESYTE_"}

    assert told <= set(Code)


def test_the_table_of_codes_has_each_of_ours_with_its_status_and_whether_to_try_again():
    table = PAGE.read_text().partition("## Codes\n")[2]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines() if "| `" in line]

    facts = {code: CODE_FACTS[code] for code in Code}
    assert rows == [
        [code, str(fact.status), fact.title, "yes" if fact.retryable else "no"] for code, fact in facts.items()
    ]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here (Debian: apt install curl)")
@pytest.mark.parametrize("example", examples(), ids=named)
def test_a_line_answers_as_the_page_says(example, stack, video, image, tmp_path, request):
    (tmp_path / ".curlrc").write_text(CURLRC)
    variables = {
        "FORGESYTE": stack.url,
        "VIDEO": str(video),
        "IMAGE": str(image),
        "PLUGIN": "contract",
        "TOOL": "middle",
        "JOB": job_for(example, request),
    }

    done = subprocess.run(
        ["bash", "-euc", example.lines],
        cwd=tmp_path,
        env={**os.environ, "CURL_HOME": str(tmp_path), **variables},
        capture_output=True,
        timeout=150,
        check=False,
    )

    assert done.stderr.decode() == example.status, done.stdout[:2000]
    assert done.returncode == 0
    if example.status >= "400":
        problem = json.loads(done.stdout)
        assert str(problem["status"]) == example.status
        assert f"`{problem['code']}`" in section(example.route) + section("POST /v1/video/submit")


def job_for(example: Example, request: pytest.FixtureRequest) -> str:
    """The job that a line is about; none is made for a line that names none."""
    if "$JOB" not in example.lines:
        return ""
    return request.getfixturevalue("running_job" if example.route == CANCEL else "job")
