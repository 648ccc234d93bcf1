"""The long form of the matrix: every fault through the whole product over HTTP, as its users meet it.

One healthy job stands in the middle of its clip while all faults of a group run beside it, one healthy job runs after
each. runner, job-api and nats-server keep their pids from the first fault to the last.
"""

import os
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from tests.stability import promises
from tests.stability.promises import DIE_IN_LOAD, IN_PRODUCT_ALONE, PROMISES, Promise
from tests.stability.report import Line
from tests.stability.witness import carriers, descendants, describe, is_alive, sleepers
from tests.stability.workbench import FRAMES, PLUGINS, entry_points
from tests.support import Stack, brightness_of, eventually, running_stack

TITLE = "faults in the product (HTTP, isolation: job)"
POISON = ("manifest-of-900-kib", "manifest-of-5000-kib")
"""Plugins that would spoil the run for all others if their promise is broken: they have a runner of their own below."""

FRAME_LIMIT_S = 1.0
END_LIMIT_S = 45
VERDICT_WITHIN_S = 1.0
PATIENCE = 10
CODES = {"failed": "PLUGIN_ERROR", "timeout": "PLUGIN_TIMEOUT", "oom": "PLUGIN_OOM", "crashed": "PLUGIN_CRASH"}
SETTINGS = {
    "FRAME_TIMEOUT_S": FRAME_LIMIT_S, "FINALIZE_TIMEOUT_S": FRAME_LIMIT_S, "LOAD_TIMEOUT_S": 3, "JOB_TIMEOUT_S": 900,
    "MEMORY_BYTES": 256 << 20, "LOAD_MEMORY_BYTES": 512 << 20,
}  # fmt: skip
GROUPS = {
    name: group
    for name, group in vars(promises).items()
    if isinstance(group, tuple) and name not in ("PROMISES", "ON_IMAGE") and group and isinstance(group[0], Promise)
}

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(900)]


class Product:
    """A running stack, the random word all its processes carry, and the neighbour's gate."""

    def __init__(self, stack: Stack, mark: str, clip: Path, folder: Path) -> None:
        self.stack, self.mark, self.clip, self.folder = stack, mark, clip, folder
        self.pids = self.services()

    def services(self) -> dict[str, int]:
        """The pids that must not change."""
        (zygote,) = [p for p in self.stack.runner().children() if "zygote" in " ".join(p.cmdline())]
        return {"runner": self.stack.runner().pid, "nats": self.stack.nats().pid, "zygote": zygote.pid}

    async def stand(self, name: str) -> str:
        """Start a healthy job that stands in the middle of its clip until let_go()."""
        reached = self.folder / f"{name}-reached"
        job_id = await self.stack.submit(
            self.clip, "measure", "healthy", at=10, gate=str(self.folder / f"{name}-gate"), reached=str(reached)
        )
        await eventually(reached.exists, 60, "the neighbour stands in the middle")
        return job_id

    def let_go(self, name: str) -> None:
        (self.folder / f"{name}-gate").touch()

    async def is_right(self, job_id: str) -> bool:
        """Whether the job ended in its first attempt with the brightness that was drawn into every frame."""
        job = await self.stack.ended(job_id)
        found = [row["detections"]["brightness"] for row in await self.stack.rows(job_id)]
        return (
            (job["status"], [attempt["outcome"] for attempt in job["attempts"]]) == ("completed", ["succeeded"])
            and len(found) == FRAMES
            and all(abs(value - brightness_of(index)) <= 4 for index, value in enumerate(found))
        )

    def strays(self) -> list[str]:
        """Processes that are neither ours nor the one standing neighbour."""
        ours = {process.pid for process in self.stack.tree()}
        sandboxes = [pid for pid in descendants(self.pids["zygote"]) if is_alive(pid)]
        escaped = (carriers(self.mark) | sleepers(self.mark)) - ours
        return [describe(pid) for pid in [*sorted(pid for pid in escaped if is_alive(pid)), *sandboxes[1:]]]

    async def submit(self, plugin: str):
        query = {"plugin_id": plugin, "tool": "misbehave", "filename": "clip.mp4"}
        return await self.stack.http.post(
            "/v1/video/submit", params=query, content=self.clip.read_bytes(), headers={"Content-Type": "video/mp4"}
        )

    async def ended(self, job_id: str) -> dict:
        """Wait until the job has ended; one that does not end is cancelled, so that the next fault has its slot."""
        try:
            return await self.stack.ended(job_id, END_LIMIT_S)
        except AssertionError:
            await self.stack.http.post(f"/v1/jobs/{job_id}/cancel")
            return await self.stack.ended(job_id, END_LIMIT_S)

    async def known(self, plugin: str):
        """Submit until the runner has told of the plugin; gives the answer."""

        async def ask():
            answer = await self.submit(plugin)
            return answer if answer.status_code != 400 else None

        return await eventually(ask, 120, f"{plugin} is known")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(tmp_path_factory, clip, stray_files) -> AsyncIterator[Product]:
    folder, mark = tmp_path_factory.mktemp("product"), secrets.token_hex(12)
    names = [name for name in entry_points() if name not in POISON]
    path = os.pathsep.join((str(PLUGINS), f"/nonexistent/{mark}"))
    env = {"PYTHONPATH": path, **{f"FORGESYTE_RUNNER_{name}": str(value) for name, value in SETTINGS.items()}}
    env |= {"FORGESYTE_RUNNER_PLUGINS": ",".join(names), "FORGESYTE_JOB_API_BROKEN_PLUGIN_S": "1"}
    async with running_stack(folder / "data", slots=2, env=env) as stack:
        yield Product(stack, mark, clip, folder)
    left = [describe(pid) for pid in carriers(mark) if is_alive(pid)]
    assert left == [], "nothing of the product is alive when it has ended"


@pytest.mark.parametrize("group", list(GROUPS))
async def test_faults_end_as_promised_over_http_and_nobody_else_notices(product, matrix, group):
    neighbour = await product.stand(group)
    lines = [Line(p.plugin, "/".join(p.kinds)) for p in GROUPS[group] if p.plugin not in POISON]
    matrix.setdefault(TITLE, []).extend(lines)
    table = {promise.plugin: promise for promise in GROUPS[group]}

    try:
        broken = [text for line in lines for text in await check(product, table[line.fault], line)]
    finally:
        product.let_go(group)

    beside = await product.is_right(neighbour)
    for line in lines:
        line.beside = "right" if beside else "WRONG"
    assert beside, "the healthy job beside them was untouched"
    assert product.services() == product.pids
    assert broken == []


@pytest.mark.parametrize("plugin", list(IN_PRODUCT_ALONE))
async def test_a_plugin_that_lacks_something_is_refused_with_a_reason_that_names_it(product, plugin):
    state, words = IN_PRODUCT_ALONE[plugin]

    answer = await product.known(plugin)

    if state == "INITIALIZED":
        assert answer.status_code == 202, answer.text
        assert (await product.stack.ended(answer.json()["job_id"]))["status"] == "completed"
        return
    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] == "PLUGIN_UNAVAILABLE"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("plugin", POISON)
async def test_a_manifest_that_is_too_large_for_the_bus_costs_nobody_else_their_plugin(tmp_path, clip, plugin):
    env = {"PYTHONPATH": str(PLUGINS), "FORGESYTE_RUNNER_PLUGINS": f"healthy,{plugin}"}
    async with running_stack(tmp_path / "data", slots=1, env=env) as stack:
        product = Product(stack, "no mark", clip, tmp_path)
        answer = await product.known(plugin)
        job_id = await stack.submit(clip, "measure", "healthy")
        assert await product.is_right(job_id)
        assert answer.status_code == 409, answer.text


async def check(product: Product, promise: Promise, line: Line) -> list[str]:
    """Run one fault and a healthy job after it; gives what is not as promised."""
    answer = await product.known(promise.plugin)
    if promise.program == "manifest":
        found = judge_refusal(promise, line, answer)
        if answer.status_code == 202:  # its job must not stand in the way of the next fault
            await product.stack.http.post(f"/v1/jobs/{answer.json()['job_id']}/cancel")
    elif answer.status_code != 202:
        line.found = f"{answer.status_code} {answer.text}"
        found = ["it was not accepted"]
    else:
        found = judge_job(promise, line, await product.ended(answer.json()["job_id"]))
    strays = product.strays()
    line.left, line.parent = str(len(strays)), "same" if product.services() == product.pids else "NEW"
    after = await product.is_right(await product.stack.submit(product.clip, "measure", "healthy"))
    line.after = "right" if after else "WRONG"
    found += [f"left alive: {strays}"] * bool(strays) + ["another pid"] * (line.parent == "NEW")
    found += ["the job after it is wrong"] * (not after)
    line.verdict = "BROKEN" if found else "ok"
    return [f"{promise.plugin}: {text}; found {line.found}" for text in found]


def judge_refusal(promise: Promise, line: Line, answer) -> list[str]:
    line.found = f"{answer.status_code} {answer.json().get('detail', '')}"
    wrong = ["it was not refused with 409"] if answer.status_code != 409 else []
    return wrong + ([] if expected_text(promise) in line.found else [f"expected {expected_text(promise)!r}"])


def expected_text(promise: Promise) -> str:
    """What must stand in the text; the limits of the product are its own."""
    return promise.text.partition(" than its limit")[0]


def judge_job(promise: Promise, line: Line, job: dict) -> list[str]:
    outcomes = [attempt["outcome"] for attempt in job["attempts"]]
    line.found = f"{job['status']} {outcomes} {job['error_code']} {job['error_type']}: {job['error_message']}"
    if job["status"] == "completed":
        wrong = [] if "succeeded" in promise.kinds and outcomes == ["succeeded"] else ["it completed"]
        is_warned = any(promise.warning in text for text in job["warnings"]) or not promise.warning
        return wrong + ([] if is_warned else ["no warning"])
    if promise.plugin in DIE_IN_LOAD:
        wrong = [] if job["error_code"] == "PLUGIN_UNAVAILABLE" else ["expected that nobody can run it"]
        wrong += [] if outcomes == [*promise.kinds] else ["expected one attempt"]
        return wrong + (
            [] if expected_text(promise) in job["error_message"] else [f"expected {expected_text(promise)!r}"]
        )
    kinds = [kind for kind in promise.kinds if job["error_code"] == CODES.get(kind)]
    if not kinds:
        return [f"expected {promise.kinds}"]
    wrong = [] if set(outcomes) <= {*promise.kinds} and len(outcomes) <= 3 else ["other attempts were expected"]
    if kinds == ["failed"] and promise.error_type not in ("", job["error_type"]):
        wrong.append(f"expected {promise.error_type}")
    if expected_text(promise).partition(" at frame")[0] not in job["error_message"]:
        wrong.append(f"expected {expected_text(promise)!r}")
    if kinds == ["timeout"]:
        line.over_s = seconds(job["attempts"][-1]) - FRAME_LIMIT_S
        wrong += ["late"] * (line.over_s > VERDICT_WITHIN_S * PATIENCE)
    return wrong


def seconds(attempt: dict) -> float:
    """How long an attempt took, from its claim (fetch and start included)."""
    begun, ended = (datetime.fromisoformat(attempt[key]) for key in ("started_at", "ended_at"))
    return (ended - begun).total_seconds()


def test_every_group_is_run():
    assert sorted(p.plugin for group in GROUPS.values() for p in group) == sorted(p.plugin for p in PROMISES)
