"""Random faults beside healthy jobs at full slots, while health is asked fifty times a second, on the whole product.

What the matrix shows one by one is shown here in any order and at once. The faults are drawn from a seed that is
printed: FORGESYTE_SEED repeats them. Two minutes long, eight with `make random-faults`; FORGESYTE_SHORT=1 makes it
20 s, and FORGESYTE_FAULTS_S sets the seconds, at most 480.

All faults are given the same clip. Deaths with one input are that input's fault, so no plugin is disabled by them and
it is known at every moment what its health may say; test_tool_runner_integration.py shows how a plugin is disabled.
"""

import asyncio
import os
import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic

import psutil
import pytest

from tests.stability.health_questions import HealthQuestions
from tests.stability.promises import DIE_IN_LOAD, IN_PRODUCT_ALONE, PROMISES, Promise
from tests.stability.witness import carriers, descendants, describe, is_alive, sleepers
from tests.stability.workbench import FRAMES, PLUGINS
from tests.support import Stack, brightness_of, eventually, meeting_point, running_stack

DURATION_S = float(os.environ.get("FORGESYTE_FAULTS_S", "20" if os.environ.get("FORGESYTE_SHORT") == "1" else "120"))
SEED = os.environ.get("FORGESYTE_SEED") or secrets.token_hex(4)
ASKED_PER_S = 50
SLOTS = 4
HEALTHY_AT_ONCE = 3
FAULTS_AT_ONCE = 5
"""Besides them one healthy job stands in the middle of its clip from the first fault to the last: more jobs than slots,
so that a slot that gets free is taken at once."""

HEARD_WITHIN_S = 10.0
"""How old a state may be that health shows: a heartbeat every 2 s, and patience for a machine that is busy."""

END_LIMIT_S = 120
GROWTH_BYTES = 96 << 20
LATE_GROWTH_BYTES = 48 << 20
"""From the middle to the end, when everything has been used once and only what is kept of each job is added: job-api
keeps the records of an hour in memory."""

DESCRIPTORS = 16
SETTINGS = {
    "FRAME_TIMEOUT_S": 4, "FINALIZE_TIMEOUT_S": 10, "LOAD_TIMEOUT_S": 15, "JOB_TIMEOUT_S": 900,
    "MEMORY_BYTES": 256 << 20, "LOAD_MEMORY_BYTES": 512 << 20,
}  # fmt: skip
CODES = {"failed": "PLUGIN_ERROR", "timeout": "PLUGIN_TIMEOUT", "oom": "PLUGIN_OOM", "crashed": "PLUGIN_CRASH"}
LEFT_OUT = {
    "load-fails": "one such job disables the plugin, as it should",
    **dict.fromkeys(DIE_IN_LOAD, "the same, and its job ends when no runner has been able to run it for a minute"),
    "turns-the-clock-and-hangs": "its own clock decides how soon it is found; the matrix has it alone",
    **({} if os.geteuid() == 0 else {"fills-dev-shm": "without a uid of its own it leaves half a gigabyte each time"}),
    "slow-within-limit": "would be about this machine's speed",
}
FAULTS = {p.plugin: p for p in PROMISES if p.program == "job" and p.plugin not in LEFT_OUT}
BROKEN = {
    "import-fails": ("FAILED", "No module named 'no_such_package_anywhere'"),
    "validate-fails": ("FAILED", "validate went wrong; look at its log"),
    **{name: IN_PRODUCT_ALONE[name] for name in ("twin", "needs-package", "model-5-bytes")},
}
UNKNOWN = ("unknown", "healthy2", "%00", "health")
READY = ("INITIALIZED", "RUNNING")

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(DURATION_S + 600)]


class Truth:
    """What is known from outside of each plugin's jobs, and so what its health may say."""

    def __init__(self) -> None:
        self.jobs: defaultdict[str, int] = defaultdict(int)
        self.last_job_s: dict[str, float] = {}
        self.endings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.counts: dict[str, tuple[float, tuple[int, int]]] = {}

    def began(self, plugin: str) -> None:
        self.jobs[plugin] += 1

    def ended(self, plugin: str, status: str) -> None:
        self.jobs[plugin] -= 1
        self.last_job_s[plugin] = monotonic()
        self.endings[plugin][status] += 1

    def lies_of(self, shown: dict, asked_s: float) -> list[str]:
        """What is untrue in a plugin's health; `asked_s` is the moment before the question."""
        plugin = shown["name"]
        state, reason = shown["state"], shown["reason"] or ""
        if plugin in BROKEN:
            wanted, words = BROKEN[plugin]
            return [] if state == wanted and words in reason else [f"{plugin} is {state} ({reason}), not {wanted}"]
        if plugin == "healthy":  # one of its jobs stands all the time
            return [] if (state, reason) == ("RUNNING", "") else [f"healthy is {state} ({reason}), and a job is on it"]
        wrong = [] if state in READY and not reason else [f"{plugin} is {state} ({reason}), with nothing wrong in it"]
        is_idle = not self.jobs[plugin] and asked_s - self.last_job_s.get(plugin, 0.0) > HEARD_WITHIN_S
        return wrong + [f"{plugin} is RUNNING without a job"] * (state == "RUNNING" and is_idle)

    def falls_of(self, shown: dict, asked_s: float) -> list[str]:
        """What was counted in an answer that had come before this question, and is not counted any more."""
        name, now = shown["name"], (shown["success_count"], shown["error_count"])
        answered_s, before = self.counts.get(name, (0.0, now))
        if asked_s < answered_s:
            return []
        self.counts[name] = monotonic(), now
        return [f"the counts of {name} fell from {before} to {now}"] if now[0] < before[0] or now[1] < before[1] else []


class Storm:
    """The product, and everything that happens to it."""

    def __init__(self, stack: Stack, clip: Path, folder: Path) -> None:
        self.stack, self.clip, self.folder = stack, clip, folder
        self.truth = Truth()
        self.pids = self.services()
        self.wrong: list[str] = []
        self.health = HealthQuestions(
            stack.url,
            Random(f"{SEED} health"),
            [*sorted(FAULTS), *sorted(BROKEN) * 5, *["healthy"] * 20, *UNKNOWN * 2],
            unknown=UNKNOWN,
            installed={*FAULTS, *BROKEN, "healthy"},
            judge=lambda shown, asked_s: self.truth.lies_of(shown, asked_s) + self.truth.falls_of(shown, asked_s),
            wrong=self.wrong,
        )
        self.busy: Counter[int] = Counter()
        self.weights: list[dict[str, int]] = []
        self.until_s = monotonic() + DURATION_S

    def services(self) -> dict[str, int]:
        """The pids that must not change; job-api and inspector live in the launcher."""
        (zygote,) = [p for p in self.stack.runner().children() if "zygote" in " ".join(p.cmdline())]
        return {
            "launcher": self.stack.tree()[0].pid, "runner": self.stack.runner().pid, "nats": self.stack.nats().pid,
            "zygote": zygote.pid,
        }  # fmt: skip

    @property
    def is_on(self) -> bool:
        return monotonic() < self.until_s

    async def run_job(self, plugin: str, tool: str = "misbehave", **options: object) -> dict:
        """Submit, and wait for the end."""
        self.truth.began(plugin)
        limit_s = self.until_s - monotonic() + END_LIMIT_S  # the standing job is there until all others have ended
        job = await self.stack.ended(await self.stack.submit(self.clip, tool, plugin, **options), limit_s)
        self.truth.ended(plugin, job["status"])
        return job

    async def check_right(self, job: dict) -> None:
        """A healthy job ended in its first attempt, with the brightness that was drawn into every frame."""
        outcomes = [attempt["outcome"] for attempt in job["attempts"]]
        if (job["status"], outcomes) != ("completed", ["succeeded"]):
            self.wrong.append(f"healthy job {job['job_id']}: {job['status']} {outcomes} {job['error_message']}")
            return
        found = [row["detections"]["brightness"] for row in await self.stack.rows(job["job_id"])]
        if len(found) != FRAMES or any(abs(value - brightness_of(at)) > 4 for at, value in enumerate(found)):
            self.wrong.append(f"healthy job {job['job_id']}: its rows are {found}")

    async def do_healthy_jobs(self) -> None:
        while self.is_on:
            await self.check_right(await self.run_job("healthy", "measure"))

    async def do_faults(self, number: int) -> None:
        draw = Random(f"{SEED} {number}")
        while self.is_on:
            promise = FAULTS[draw.choice(sorted(FAULTS))]
            self.wrong += judge(promise, await self.run_job(promise.plugin))

    async def do_reloads(self) -> None:
        """Have the runner reload broken plugins: they stay broken, and their health never shows anything else."""
        draw = Random(f"{SEED} reloads")
        while self.is_on:
            name = draw.choice(sorted(BROKEN))
            answer = await self.stack.http.post(f"/v1/plugins/{name}/reload")
            if answer.status_code != 202:
                self.wrong.append(f"reload of {name}: {answer.status_code}")
            await asyncio.sleep(3)

    async def weigh(self) -> None:
        while self.is_on:
            self.weights.append(self.memory())
            await asyncio.sleep(DURATION_S / 10)

    async def count_busy_slots(self) -> None:
        while self.is_on:
            (runner,) = (await self.stack.http.get("/v1/runners")).json()
            self.busy[runner["slots_busy"]] += 1
            await asyncio.sleep(1)

    async def ask_for_health(self) -> None:
        await self.health.ask_until(self.until_s, per_s=ASKED_PER_S)

    async def blow(self) -> None:
        """Everything at once, until the time is over and the last of these jobs has ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(FAULTS_AT_ONCE):
                group.create_task(self.do_faults(number))
            for _ in range(HEALTHY_AT_ONCE):
                group.create_task(self.do_healthy_jobs())
            for act in (self.ask_for_health, self.do_reloads, self.count_busy_slots, self.weigh):
                group.create_task(act())

    @asynccontextmanager
    async def standing_job(self) -> AsyncIterator[None]:
        """A healthy job that stands in the middle of its clip, seen by the inspector, for the length of the block."""
        gate, reached = meeting_point("gate"), meeting_point("reached")
        submitted = datetime.now(UTC)
        async with asyncio.TaskGroup() as group:
            job = group.create_task(self.run_job("healthy", "measure", gate=str(gate), reached=str(reached)))
            try:
                await eventually(lambda: self.is_shown_running(submitted), 60, "the standing job is seen")
                yield
            finally:
                gate.touch()
        await self.check_right(job.result())

    async def is_shown_running(self, since: datetime) -> bool:
        """Whether health shows a healthy job that began since; an earlier one is shown until the next heartbeat."""
        answer = await self.stack.http.get("/v1/plugins/healthy/health")
        shown = answer.json()
        return shown["state"] == "RUNNING" and datetime.fromisoformat(shown["last_used"]) >= since

    async def are_all_known(self) -> bool:
        shown = {plugin["name"]: plugin["state"] for plugin in (await self.stack.http.get("/v1/plugins")).json()}
        return shown.keys() >= {*FAULTS, *BROKEN, "healthy"} and "LOADED" not in shown.values()

    async def miscounted(self) -> list[str]:
        """Where the counts of health are not what was seen from outside."""
        listed = {plugin["name"]: plugin for plugin in (await self.stack.http.get("/v1/plugins")).json()}
        return [
            f"{name}: {found} were counted, {seen} happened"
            for name, endings in self.truth.endings.items()
            if (found := (listed[name]["success_count"], listed[name]["error_count"]))
            != (seen := (endings["completed"], endings["failed"]))
        ]

    def memory(self) -> dict[str, int]:
        """Bytes that each service holds for itself alone."""
        return {name: psutil.Process(pid).memory_full_info().uss for name, pid in self.pids.items()}

    def strays(self, mark: str) -> list[str]:
        """Processes that are neither the services nor a sandbox of theirs that is expected: at rest there is none."""
        ours = {process.pid for process in self.stack.tree()}
        found = (carriers(mark) | sleepers(mark)) - ours | descendants(self.pids["zygote"])
        return [describe(pid) for pid in sorted(found) if is_alive(pid)]


def judge(promise: Promise, job: dict) -> list[str]:
    """Whether a fault ended in a way that its row allows, with a sentence for its user."""
    codes = [CODES[kind] for kind in promise.kinds if kind in CODES]
    is_fine = job["status"] == "completed" and "succeeded" in promise.kinds
    is_fine |= job["status"] == "failed" and job["error_code"] in codes and bool(job["error_message"])
    found = f"{job['status']} {job['error_code']} {job['error_message']}"
    return [] if is_fine else [f"{promise.plugin}: expected {promise.kinds}, found {found}"]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Writes a line for people, whatever pytest captures."""

    def write(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return write


async def test_random_faults_beside_healthy_jobs_take_nothing_down_and_health_tells_the_truth(
    tmp_path, clip, stray_files, say
):
    mark = secrets.token_hex(12)
    say(f"random faults for {DURATION_S:g} s; FORGESYTE_SEED={SEED} repeats them")
    env = {"PYTHONPATH": os.pathsep.join((str(PLUGINS), f"/nonexistent/{mark}"))}
    env |= {f"FORGESYTE_RUNNER_{name}": str(value) for name, value in SETTINGS.items()}
    env |= {"FORGESYTE_RUNNER_PLUGINS": ",".join([*FAULTS, *BROKEN, "healthy"])}
    async with running_stack(tmp_path / "data", slots=SLOTS, env=env) as stack:
        storm = Storm(stack, clip, tmp_path)
        await eventually(storm.are_all_known, 180, "every plugin has a state")
        for plugin in ("healthy", "raises", "segfaults"):  # what is loaded at the first use counts as start
            await storm.run_job(plugin, "measure" if plugin == "healthy" else "misbehave")
        before, runner = storm.memory(), psutil.Process(storm.pids["runner"])
        open_before = runner.num_fds()

        storm.until_s = monotonic() + DURATION_S
        async with storm.standing_job():
            await storm.blow()
        tell(storm, say)

        assert storm.wrong == [], f"FORGESYTE_SEED={SEED}"
        assert {*storm.health.codes} == {200, 404}
        assert storm.services() == storm.pids, "runner, launcher (job-api, inspector), nats-server and zygote lived"
        assert storm.busy.most_common(1)[0][0] == SLOTS, f"slots were full most of the time: {storm.busy}"
        await eventually(lambda: is_none(storm.miscounted()), 30, "the counts are what happened")
        await eventually(lambda: not storm.strays(mark), 10, f"nothing is left: {storm.strays(mark)}")
        await eventually(
            lambda: grown(before, storm, GROWTH_BYTES) == [], 30, f"the memory is back where it was: {before}"
        )
        middle = {name: storm.weights[len(storm.weights) // 2][name] for name in ("launcher", "runner")}
        assert grown(middle, storm, LATE_GROWTH_BYTES) == []
        weighed = {name: [each[name] >> 20 for each in (before, *storm.weights, storm.memory())] for name in before}
        say(f"MiB from the start to the end: {weighed}")
        await eventually(lambda: runner.num_fds() <= open_before + DESCRIPTORS, 30, "the descriptors are closed")


async def is_none(found) -> bool:
    """Whether an asked question found nothing."""
    return not await found


def grown(before: dict[str, int], storm: Storm, most_bytes: int) -> list[str]:
    """The services that hold more than they did, by more than they may."""
    now = storm.memory()
    return [f"{name}: {(now[name] - held) >> 20} MiB" for name, held in before.items() if now[name] > held + most_bytes]


def tell(storm: Storm, say: Callable[[str], None]) -> None:
    """Sum up for people."""
    endings = sum(storm.truth.endings.values(), Counter())
    healthy = storm.truth.endings["healthy"].total()
    say(
        f"{healthy} healthy jobs, {endings.total() - healthy} faults of {len(storm.truth.endings) - 1} kinds; "
        f"{storm.health.summary}; busy slots {dict(storm.busy)}; {len(storm.wrong)} wrong"
        + "".join(f"\n{each}" for each in storm.wrong)
    )
