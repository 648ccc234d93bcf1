"""Health API: how plugins are, asked over HTTP of the whole product with broken plugins beside good ones.

A plugin question is answered 200 or 404. That a plugin is broken is the answer's content, never its status.
"""

import asyncio
import string
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from forgesyte_contracts.plugins import PluginHealth, PluginState
from tests.stability.workbench import PLUGINS
from tests.support import Stack, eventually, meeting_point, running_stack

FAILED = {
    "import-fails": "No module named 'no_such_package_anywhere'",
    "import-segfaults": "SIGSEGV",
    "import-hangs": "loading the plugin took longer than its limit of 6 s",
    "construct-fails": "construct went wrong; look at its log",
    "validate-rejects-value": "the setting colour is purple; set it to red or green",
    "manifest-other-name": "another-plugin",
    "manifest-of-900-kib": "KiB",
    "twin": "forgesyte-misbehaving-twin 0.1.0",
}
UNAVAILABLE = {
    "needs-package": "the package no_such_package_anywhere is not installed; install it",
    "model-missing": "missing.onnx (weights) is missing; put it there",
    "model-5-bytes": "truncated or corrupt: it has 5 bytes",
}
GOOD = ("healthy", "motion-detector", "raises", "segfaults")
ALL = sorted([*FAILED, *UNAVAILABLE, *GOOD])
STATES = {state.value for state in PluginState}
REMEDY = "reload the plugin or restart the runner"
START_LIMIT_S = 150
ODD_NAMES = (
    "unknown", "Healthy", "healthy ", "healthy%20", "%20", "%00", "healthy%00", "-", "0", "null", "*", "%ff%fe",
    "forgesyte.control.%3E", "na%C3%AFve", "%F0%9F%90%9B", "%7B%7D", "'%20or%201=1", "x" * 5000, "health",
    "healthy;health", "healthy%3Fa=b", "healthy%0d%0aX-A:%20b",
)  # fmt: skip
ODD_PATHS = ("..", "%2e%2e", "healthy%2fhealth", "..%2f..%2fetc%2fpasswd", "%2f")
"""Names that hold a path: what they mean when it is resolved may well be a page that is there."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory, stray_files) -> AsyncIterator[Stack]:
    """`forgesyte up` with every kind of plugin, when it has a verdict on each of them."""
    env = {
        "PYTHONPATH": str(PLUGINS),
        "FORGESYTE_RUNNER_PLUGINS": ",".join(ALL),
        "FORGESYTE_RUNNER_LOAD_TIMEOUT_S": "6",
    }
    async with running_stack(tmp_path_factory.mktemp("health") / "data", slots=2, env=env) as stack:

        async def has_a_verdict() -> bool:
            shown = {plugin["name"]: plugin["state"] for plugin in (await stack.http.get("/v1/plugins")).json()}
            return shown.keys() >= {*ALL} and "LOADED" not in shown.values()

        await eventually(has_a_verdict, START_LIMIT_S, "the inspector has a verdict on every plugin")
        yield stack


@asynccontextmanager
async def standing_job(stack: Stack, clip: Path, folder: Path) -> AsyncIterator[str]:
    """A job of `healthy` that stands in the middle of its clip for the length of the block, and then completes."""
    gate, reached = meeting_point("gate"), meeting_point("reached")
    job_id = await stack.submit(clip, "measure", "healthy", gate=str(gate), reached=str(reached))
    await eventually(reached.exists, 60, "the job stands in the middle")
    try:
        yield job_id
    finally:
        gate.touch()
        job = await stack.ended(job_id)
    assert job["status"] == "completed"


async def health(stack: Stack, name: str) -> dict:
    """The health of a plugin that is known."""
    answer = await stack.http.get(f"/v1/plugins/{name}/health")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(stack: Stack, name: str, state: str) -> dict:
    """Wait until the plugin is shown in this state."""

    async def look() -> dict | None:
        shown = await health(stack, name)
        return shown if shown["state"] == state else None

    return await eventually(look, 30, f"{name} is {state}")


async def test_the_list_answers_200(stack):
    answer = await stack.http.get("/v1/plugins")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


async def test_the_list_is_a_flat_array_of_health_in_name_order(stack):
    shown = (await stack.http.get("/v1/plugins")).json()

    assert isinstance(shown, list)
    assert [plugin["name"] for plugin in shown] == ALL
    for plugin in shown:
        PluginHealth.model_validate(plugin)


async def test_all_states_are_in_the_list_and_running_is_there_while_a_job_is(stack, clip, tmp_path):
    async with standing_job(stack, clip, tmp_path):
        await until(stack, "healthy", "RUNNING")

        shown = {plugin["name"]: plugin["state"] for plugin in (await stack.http.get("/v1/plugins")).json()}

        expected = dict.fromkeys(GOOD, "INITIALIZED") | {"healthy": "RUNNING"}
        expected |= dict.fromkeys(FAILED, "FAILED") | dict.fromkeys(UNAVAILABLE, "UNAVAILABLE")
        assert shown == expected
    await until(stack, "healthy", "INITIALIZED")


async def test_the_counted_list_agrees_with_the_flat_one(stack):
    flat, counted = (await stack.http.get("/v1/plugins")).json(), (await stack.http.get("/v1/plugins/")).json()

    found = Counter(plugin["state"] for plugin in counted["plugins"])
    assert [plugin["name"] for plugin in counted["plugins"]] == [plugin["name"] for plugin in flat]
    assert (counted["total"], counted["available"]) == (len(ALL), len(GOOD))
    assert (counted["failed"], counted["unavailable"]) == (len(FAILED), len(UNAVAILABLE))
    assert (found["FAILED"], found["UNAVAILABLE"]) == (len(FAILED), len(UNAVAILABLE))


@pytest.mark.parametrize("name", ALL)
async def test_health_answers_200_for_every_plugin_whatever_its_state(stack, name):
    answer = await stack.http.get(f"/v1/plugins/{name}/health")

    assert answer.status_code == 200
    assert answer.json()["name"] == name


async def test_the_state_is_one_of_the_five_and_the_same_in_list_detail_and_health(stack):
    listed = {plugin["name"]: plugin["state"] for plugin in (await stack.http.get("/v1/plugins")).json()}

    for name in ALL:
        detail = (await stack.http.get(f"/v1/plugins/{name}")).json()
        shown = await health(stack, name)
        assert shown["state"] in STATES
        assert shown["state"] == detail["health"]["state"] == listed[name]
        assert [runner["state"] for runner in shown["runners"]] == [shown["state"]]


@pytest.mark.parametrize("name", FAILED)
async def test_a_failed_plugin_answers_200_with_what_went_wrong_and_what_to_do(stack, name):
    shown = await health(stack, name)

    assert shown["state"] == "FAILED"
    assert FAILED[name] in shown["reason"]
    assert REMEDY in shown["reason"]


@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_an_unavailable_plugin_answers_200_with_what_is_missing_and_what_to_do(stack, name):
    shown = await health(stack, name)

    assert shown["state"] == "UNAVAILABLE"
    assert UNAVAILABLE[name] in shown["reason"]
    assert REMEDY in shown["reason"]


@pytest.mark.parametrize("name", GOOD)
async def test_a_plugin_with_nothing_wrong_gives_no_reason(stack, name):
    shown = await health(stack, name)

    assert shown["reason"] is None
    assert shown["uptime_seconds"] >= 0


@pytest.mark.parametrize("part", ["", "/health", "/manifest"])
async def test_an_unknown_plugin_answers_404_and_names_those_that_are_known(stack, part):
    answer = await stack.http.get(f"/v1/plugins/unknown{part}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["plugin"]) == ("PLUGIN_UNKNOWN", "unknown")
    assert "motion-detector" in answer.json()["detail"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: name[:30])
async def test_whatever_stands_in_a_plugins_place_is_unknown_and_never_500(stack, name):
    for part in ("", "/health", "/manifest"):
        answer = await stack.http.get(f"/v1/plugins/{name}{part}")

        assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("path", ODD_PATHS)
async def test_a_path_in_a_plugins_place_is_that_page_or_unknown_and_never_500(stack, path):
    for part in ("", "/health", "/manifest"):
        answer = await stack.http.get(f"/v1/plugins/{path}{part}")

        assert answer.status_code in (200, 404), answer.text


async def test_names_drawn_at_random_are_unknown_and_never_500(stack):
    draw = Random(7)

    async def ask() -> int:
        name = "".join(draw.choices(string.ascii_lowercase + string.digits + "-_.~", k=draw.randint(1, 60)))
        return (await stack.http.get(f"/v1/plugins/q{name}/health")).status_code

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask()) for _ in range(100)]

    assert {each.result() for each in asked} == {404}


async def test_health_stays_200_and_right_while_a_plugin_dies_and_after(stack, clip):
    job_id = await stack.submit(clip, "misbehave", "segfaults")
    codes = set()

    async def is_over() -> bool:
        answer = await stack.http.get("/v1/plugins/segfaults/health")
        codes.add((answer.status_code, answer.json()["state"]))
        return (await stack.job(job_id))["status"] == "failed"

    await eventually(is_over, 60, "the job ends")

    assert codes <= {(200, "INITIALIZED"), (200, "RUNNING")}, "one input that kills disables nothing"
    await eventually(lambda: counted(stack, "segfaults", 1), 30, "its error is counted")


async def counted(stack: Stack, name: str, errors: int) -> bool:
    """Whether the plugin's health shows so many errors."""
    return (await health(stack, name))["error_count"] == errors


@pytest.mark.parametrize("name", ["import-fails", "model-5-bytes"])
async def test_a_job_for_an_unusable_plugin_is_refused_with_the_reason_its_health_gives(stack, clip, name):
    query = {"plugin_id": name, "tool": "misbehave", "filename": clip.name}

    answer = await stack.http.post(
        "/v1/video/submit", params=query, content=clip.read_bytes(), headers={"Content-Type": "video/mp4"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "PLUGIN_UNAVAILABLE")
    assert (FAILED | UNAVAILABLE)[name] in answer.json()["detail"]


async def test_a_reload_of_what_is_still_broken_is_accepted_and_shows_no_other_state(stack):
    answer = await stack.http.post("/v1/plugins/construct-fails/reload")
    shown = {(await health(stack, "construct-fails"))["state"] for _ in range(100)}

    assert (answer.status_code, answer.json()["status"]) == (202, "reloading")
    assert shown == {"FAILED"}
