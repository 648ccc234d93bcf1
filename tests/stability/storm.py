"""The product in a storm: jobs that attack it, faults from outside, healthy jobs beside them, and what is seen of all.

Unlike the random faults, a storm takes services down: the runner, its zygote, cells, nats-server. What must hold is
that each accepted job ends, that a healthy one completes with each row once, and that health never calls a plugin
broken that is not, or well that is broken.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import httpx
import psutil

from tests.stability.health_questions import HealthQuestions
from tests.stability.promises import Promise
from tests.stability.workbench import FRAMES
from tests.support import Stack, brightness_of, eventually

END_LIMIT_S = 300.0
"""Until the last job has ended. Healthy jobs wait for the suspects before them, and runners start slowly under load."""

BACK_LIMIT_S = 120.0
ASKED_PER_S = 25
BEFORE_SUCCESS = {"surroundings", "lost", "released", "fenced"}
"""Outcomes of attempts that a healthy job may have before the last one: none of them is its own."""

NO_RUNNER = ("No living runner has this plugin", "The message broker (NATS) cannot be reached")
CODES = {"failed": "PLUGIN_ERROR", "timeout": "PLUGIN_TIMEOUT", "oom": "PLUGIN_OOM", "crashed": "PLUGIN_CRASH"}
MOVING = ("LOADED", "INITIALIZED", "RUNNING")
"""States of a plugin with which nothing is wrong, while runners come and go."""


@dataclass
class Weather:
    """What happens in one storm, and what was seen.

    Attributes:
        faults: what plugin code does, by name of its plugin.
        broken: plugins that are never ready, and a part of the reason.
        is_walled: whether the wall stands; without it attacks on what runs them succeed.
    """

    stack: Stack
    clip: Path
    seed: str
    until_s: float
    faults: dict[str, Promise]
    broken: dict[str, tuple[str, str]]
    is_walled: bool
    accepted: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    attacks: Counter[str] = field(default_factory=Counter)
    outside: list[tuple[str, float]] = field(default_factory=list)
    counts: dict[str, tuple[float, set[str], tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.health = HealthQuestions(
            self.stack.url,
            Random(f"{self.seed} health"),
            [*sorted(self.faults), *sorted(self.broken) * 5, *["healthy", "wrecker"] * 10, "unknown"],
            unknown=("unknown",),
            installed=self.installed,
            judge=lambda shown, asked_s: self.lies_of(shown) + self.falls_of(shown, asked_s),
            wrong=self.wrong,
        )

    @property
    def is_on(self) -> bool:
        return monotonic() < self.until_s

    async def blow(self, *, faults_at_once: int, healthy_at_once: int, attacks_at_once: int) -> None:
        """Everything at once, until the time is over and the last of these jobs has ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(faults_at_once):
                group.create_task(self.do_faults(number))
            for _ in range(healthy_at_once):
                group.create_task(self.do_healthy_jobs(0))
            group.create_task(self.do_healthy_jobs(pause_ms=400))
            for number in range(attacks_at_once):
                group.create_task(self.do_attacks(number))
            for act in (self.do_outside, self.ask_for_health):
                group.create_task(act())

    # jobs

    async def submit(self, tool: str, plugin: str, **options: object) -> str:
        """Submit until the job is accepted: while nats-server is down, job-api refuses."""

        async def accepted() -> str | None:
            try:
                return await self.stack.submit(self.clip, tool, plugin, **options)
            except httpx.TransportError:
                return None
            except AssertionError as refusal:
                if "SERVICE_UNAVAILABLE" in str(refusal):
                    return None
                raise

        job_id = await eventually(accepted, BACK_LIMIT_S, f"a job for {plugin} is accepted")
        self.accepted.add(job_id)
        return job_id

    async def run_job(self, tool: str, plugin: str, **options: object) -> dict[str, Any]:
        """Submit, and wait for the end."""
        job_id = await self.submit(tool, plugin, **options)
        limit_s = max(self.until_s - monotonic(), 0) + END_LIMIT_S

        async def ended() -> dict[str, Any] | None:
            await asyncio.sleep(0.1)
            answer = await self.get(f"/v1/jobs/{job_id}/extended")
            job = answer.json() if answer is not None else {"status": None}
            return job if job["status"] in ("completed", "failed", "cancelled") else None

        job = await eventually(ended, limit_s, f"job {job_id} of {plugin} ends")
        self.endings[f"{plugin} {job['status']} {job['error_code'] or ''}".strip()] += 1
        return job

    async def get(self, path: str, **params: str) -> httpx.Response | None:
        """Ask; None while the answer is that a part of the product is unavailable."""
        try:
            answer = await self.stack.http.get(path, params=params)
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, answer.text
        return answer

    async def do_healthy_jobs(self, pause_ms: int) -> None:
        while self.is_on:
            await self.check_right(await self.run_job("measure", "healthy", pause_ms=pause_ms))

    async def check_right(self, job: dict[str, Any]) -> None:
        """A healthy job completed, with one row for each frame and the brightness that was drawn into it."""
        outcomes = [attempt["outcome"] for attempt in job["attempts"]]
        self.attempts[" ".join(outcomes)] += 1
        if job["status"] != "completed" or outcomes[-1] != "succeeded" or not {*outcomes[:-1]} <= BEFORE_SUCCESS:
            self.wrong.append(f"healthy job {job['job_id']}: {job['status']} {outcomes} {job['error_message']}")
            return
        rows = await eventually(lambda: self.rows(job["job_id"]), BACK_LIMIT_S, "the rows are read")
        found = [(row["frame_index"], row["detections"]["brightness"]) for row in rows]
        if [at for at, _ in found] != [*range(FRAMES)] or any(
            abs(value - brightness_of(at)) > 4 for at, value in found
        ):
            self.wrong.append(f"healthy job {job['job_id']}: its rows are {found}")

    async def rows(self, job_id: str) -> list[dict[str, Any]] | None:
        try:
            return await self.stack.rows(job_id)
        except (httpx.TransportError, AssertionError):
            return None

    async def do_faults(self, number: int) -> None:
        draw = Random(f"{self.seed} {number}")
        while self.is_on:
            promise = self.faults[draw.choice(sorted(self.faults))]
            job = await self.run_job("misbehave", promise.plugin)
            self.wrong += judge(promise, job)

    async def do_attacks(self, number: int) -> None:
        """Attack the product from inside, one attack after the other."""
        draw = Random(f"{self.seed} attacks {number}")
        while self.is_on:
            whom = draw.choice(("zygote", "runner", "zygotes", "nats-server"))
            how, traces = draw.choice(("SIGKILL", "SIGSTOP")), whom == "zygotes" and draw.random() < 0.5
            options = {
                "whom": whom,
                "how": how,
                "traces": traces,
                "pids": self.targets(),
                "at": draw.choice((0, 5, 30)),
            }
            job = await self.run_job("wreck", "wrecker", **options)
            self.attacks[f"{how} {whom}{' traced' * traces}: {job['error_code'] or job['status']}"] += 1
            await self.judge_attack(whom, job)
            await asyncio.sleep(draw.uniform(0, 4))

    async def judge_attack(self, whom: str, job: dict[str, Any]) -> None:
        found = f"attack on {whom}: {job['status']} {job['error_code']} {job['error_message']}"
        if not self.is_walled and whom != "nats-server":
            self.wrong += [] if job["error_code"] == "PLUGIN_CRASH" else [found]
            return
        if job["status"] != "completed":
            self.wrong.append(found)
            return
        rows = await eventually(lambda: self.rows(job["job_id"]), BACK_LIMIT_S, "the rows are read")
        refused = [word for row in rows for word in row["detections"]["refused"]]
        if self.is_walled and (not refused or "" in refused):
            self.wrong.append(f"{found}, refused with {refused}")

    def targets(self) -> dict[str, list[int]]:
        """What an attack is told that cannot find its targets: the pids as they are now."""
        runners = [*filter(None, [self.runner()]), *self.stack.cells()]
        zygotes = [zygote.pid for runner in runners for zygote in zygotes_of(runner)]
        return {
            "runner": [runner.pid for runner in runners] or [self.launcher], "zygotes": zygotes or [self.launcher],
            "nats-server": [process.pid for process in self.nats()] or [self.launcher],
        }  # fmt: skip

    # faults from outside

    @property
    def launcher(self) -> int:
        return self.stack.tree()[0].pid

    def runner(self) -> psutil.Process | None:
        """The main runner; None between two lives."""
        try:
            return self.stack.runner()
        except (ValueError, psutil.Error):
            return None

    def nats(self) -> list[psutil.Process]:
        try:
            return [self.stack.nats()]
        except (ValueError, psutil.Error):
            return []

    def victims(self) -> dict[str, Callable[[], list[psutil.Process]]]:
        """What may be hit from outside, by name."""
        runner = [process for process in [self.runner()] if process]
        return {
            "the runner": lambda: runner,
            "a zygote": lambda: [zygote for process in runner for zygote in zygotes_of(process)],
            "a cell": self.stack.cells,
            "nats-server": self.nats,
        }

    async def do_outside(self) -> None:
        """Now and then kill or stop a service, as operators and machines do, and wait until the product is back."""
        draw = Random(f"{self.seed} outside")
        while self.is_on:
            await asyncio.sleep(draw.uniform(4, 12))
            name, how = draw.choice(("the runner", "a zygote", "a cell", "nats-server")), draw.choice(("KILL", "STOP"))
            how = "KILL" if name in ("nats-server", "a cell") else how
            found = self.victims()[name]()
            if found and self.is_on:
                await self.hit(draw.choice(found), f"{how} {name}", getattr(signal, f"SIG{how}"))

    async def hit(self, victim: psutil.Process, name: str, number: signal.Signals) -> None:
        """Signal a process, and measure how long a job that is submitted then takes to its end."""
        try:
            victim.send_signal(number)
        except psutil.NoSuchProcess:
            return
        at_s = monotonic()
        await self.check_right(await self.run_job("measure", "healthy"))
        self.outside.append((name, monotonic() - at_s))

    # health

    async def ask_for_health(self) -> None:
        await self.health.ask_until(self.until_s, per_s=ASKED_PER_S)

    @property
    def installed(self) -> set[str]:
        return {*self.faults, *self.broken, "healthy", "wrecker"}

    def lies_of(self, shown: dict[str, Any]) -> list[str]:
        """What is untrue in a plugin's health, while runners come and go."""
        name, state, reason = shown["name"], shown["state"], shown["reason"] or ""
        found = f"{name} is {state} ({reason})"
        is_without_runner = reason.startswith(NO_RUNNER) or any(text in reason for text in NO_RUNNER)
        if name in self.broken:
            wanted, words = self.broken[name]
            is_true = (state == wanted and (words in reason or is_without_runner)) or state == "LOADED"
            return [] if is_true else [f"{found}, not {wanted}"]
        is_true = state in MOVING and (not reason or is_without_runner)
        return [] if is_true else [f"{found}, with nothing wrong in it"]

    def falls_of(self, shown: dict[str, Any], asked_s: float) -> list[str]:
        """What is not counted any more, although each runner that had counted it is there: the counts are theirs."""
        name, now = shown["name"], (shown["success_count"], shown["error_count"])
        runners = {runner["runner_id"] for runner in shown["runners"]}
        answered_s, before_runners, before = self.counts.get(name, (0.0, set(), now))
        if asked_s < answered_s:
            return []
        self.counts[name] = monotonic(), runners, now
        has_all = bool(before_runners) and before_runners <= runners  # without a runner the last known ones are shown
        is_fallen = has_all and (now[0] < before[0] or now[1] < before[1])
        found = f"the counts of {name} fell from {before} ({before_runners}) to {now} ({runners})"
        return [found] if is_fallen else []

    # the end

    async def doubled_or_lost(self) -> list[str]:
        """Accepted jobs that the list of all jobs has not exactly once, or that have not ended there."""
        found: Counter[str] = Counter()
        unfinished: list[str] = []
        query: dict[str, str] | None = {"limit": "100"}
        while query is not None:
            page = (await self.stack.http.get("/v1/jobs", params=query)).raise_for_status().json()
            found.update(job["job_id"] for job in page["jobs"])
            unfinished += [job["job_id"] for job in page["jobs"] if job["status"] in ("pending", "running")]
            query = {"limit": "100", "cursor": page["next_cursor"]} if page["next_cursor"] else None
        wrong = [f"{job_id} is listed {found[job_id]} times" for job_id in self.accepted if found[job_id] != 1]
        return wrong + [f"{job_id} has not ended" for job_id in unfinished]


def zygotes_of(runner: psutil.Process) -> list[psutil.Process]:
    """The zygote of a runner, if it has one now."""
    try:
        return [child for child in runner.children() if "zygote" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def judge(promise: Promise, job: dict[str, Any]) -> list[str]:
    """Whether a fault ended in a way that its row allows, with a sentence for its user.

    Its job may have met the faults of others on its way; what it does itself decides how it ends.
    """
    kinds = CODES | ({"failed": "DISK_LIMIT"} if promise.error_type == "DiskLimit" else {})
    codes = [kinds[kind] for kind in promise.kinds if kind in kinds]
    is_fine = job["status"] == "completed" and "succeeded" in promise.kinds
    is_fine |= job["status"] == "failed" and job["error_code"] in codes and bool(job["error_message"])
    outcomes = [attempt["outcome"] for attempt in job["attempts"]]
    found = f"{job['status']} {job['error_code']} {job['error_message']} {outcomes}"
    return [] if is_fine else [f"{promise.plugin}: expected {promise.kinds}, found {found}"]


def waits_of(outside: list[tuple[str, float]]) -> list[str]:
    """Lines for people: each kind of fault from outside, how often, and how soon a job was done after it."""
    by_name: dict[str, list[float]] = {}
    for name, wait_s in outside:
        by_name.setdefault(name, []).append(wait_s)
    return [
        f"{name}: {len(waits)} times, a job submitted then was done after {min(waits):.1f} to {max(waits):.1f} s"
        for name, waits in sorted(by_name.items())
    ]


def wall_off() -> dict[str, str]:
    """The variables that switch the wall off in both services with sandboxes."""
    services = ("RUNNER", "JOB_API")
    off = {f"FORGESYTE_{service}_SANDBOX_WALL": "off" for service in services}
    return off | {f"FORGESYTE_{service}_ALLOW_DEGRADED_SANDBOX": "true" for service in services}


def join_paths(*folders: Path | str) -> str:
    """A value for PYTHONPATH."""
    return os.pathsep.join(str(folder) for folder in folders)
