"""Whole lives of jobs, by the real rules over a simulated machine: no innocent job ends, every guilty one does.

A history is a machine with some runners, some jobs, jobs that kill their zygote or their runner at a frame or make the
kernel's memory killer do it, and faults from outside: power losses and memory kills, alone or in a loop, and kills by
an operator. Time is simulated, in
seconds; the records are real, and change by moves alone. FORGESYTE_SOAK=1 tries thousands of histories.
"""

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.blame import (
    Circumstances,
    Fault,
    clears,
    has_control,
    seconds_to_wait,
)
from forgesyte_contracts.jobs import JobRecord

IS_SOAK = os.environ.get("FORGESYTE_SOAK") == "1"
HISTORIES = 1250 if IS_SOAK else 60
"""In each of the four cases."""
MOST_HITS = 3
"""How often a job that always does it at the same frame may take down others with itself."""

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)
END_S = 40_000.0
LOOP_S = 6_000.0
COMMIT_S = 2.0
ZYGOTE_S, RUNNER_S, BOOT_S, REDELIVERY_S = 0.5, 3.0, 20.0, 10.0


def at(now_s: float) -> datetime:
    return BEGIN + timedelta(seconds=now_s)


@dataclass(eq=False)
class Job:
    record: JobRecord
    length_s: float
    fps: float
    ready_s: float
    kills: str = ""
    kill_s: float = 0.0
    is_erratic: bool = False
    first_fault_s: float | None = None
    ended_s: float | None = None
    hits: int = 0
    """How often it took down others with itself."""

    @property
    def is_over(self) -> bool:
        return self.ended_s is not None


@dataclass(eq=False)
class Running:
    job: Job
    since_s: float
    phase_s: float
    kill_s: float | None

    def frame(self, now_s: float) -> int:
        if self.kill_s is not None and now_s - self.since_s >= self.kill_s:
            return int(self.kill_s * self.job.fps)
        return int((now_s - self.since_s) * self.job.fps)

    def committed(self, now_s: float) -> int:
        """Return how many rows are in the store: they go there every COMMIT_S."""
        ran_s = now_s - self.since_s - self.phase_s
        return max(0, int(ran_s // COMMIT_S * COMMIT_S * self.job.fps))

    def clears_s(self) -> float | None:
        """Return when its rows get beyond all its faults; None when they do not."""
        at_s = self.phase_s + COMMIT_S
        while at_s < self.job.length_s:
            if clears(self.job.record, self.committed(self.since_s + at_s + 1e-6)):
                return self.since_s + at_s + 1e-6
            at_s += COMMIT_S
        return None


@dataclass(eq=False)
class Runner:
    name: str
    slots: int
    is_cell: bool
    up_s: float = 0.0
    running: list[Running] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        return any(each.job.record.runs_alone for each in self.running)


class Machine:
    """One history."""

    def __init__(self, rng: random.Random, *, with_faults: bool, with_cells: bool) -> None:
        self.rng = rng
        slots = rng.randint(1, 4)
        self.runners = [Runner(f"main-{n}", slots, is_cell=False) for n in range(rng.randint(1, 3))]
        if with_cells:
            self.runners += [Runner(f"cell-{n}", 1, is_cell=True) for n in range(slots)]
        self.has_cells = with_cells
        self.has_supervisor = rng.random() < 0.5
        self.jobs = [self._job(number) for number in range(rng.randint(3, 14))]
        self.outside = sorted(self._outside()) if with_faults else []
        self.boot, self.oom_kills, self.now_s = 0, 0, 0.0
        self.wakes: list[float] = []
        self.beside = 0

    @property
    def may_disturb_each_other(self) -> bool:
        """Whether jobs that each run alone may break each other's calm for good: no job is held to be guilty then."""
        return not self.has_cells and sum(job.kills == "memory" for job in self.jobs) > 1

    def _job(self, number: int) -> Job:
        rng, at_s = self.rng, self.rng.uniform(0, 60)
        record = JobRecord(job_id=str(number), plugin_id="p", tools=("t",), created_at=at(at_s), updated_at=at(at_s))
        length_s = rng.choice([rng.uniform(1, 8), rng.uniform(5, 60), rng.uniform(30, 200)])
        job = Job(record, length_s, fps=rng.choice([0.5, 5.0, 25.0, 60.0]), ready_s=at_s)
        if rng.random() < 0.25:
            job.kills, job.is_erratic = rng.choice(["zygote", "runner", "memory"]), rng.random() < 0.3
            job.kill_s = min(rng.choice([0.2, rng.uniform(0, 3), rng.uniform(0, length_s)]), 0.99 * length_s)
        return job

    def _outside(self) -> list[tuple[float, str, int]]:
        """Make the faults from outside: when, what, to which runner."""
        rng, found = self.rng, []
        for number in range(len(self.runners)):
            kind, at_s = rng.choice(["power", "oom", "operator", "operator zygote", "none"]), rng.uniform(0, 100)
            is_loop = kind in ("power", "oom")
            for _ in range(rng.randint(1, 30 if is_loop else 2)):
                found.append((at_s, kind, number))
                at_s += rng.expovariate(1 / rng.choice([3, 15, 60])) if is_loop else rng.uniform(200, 900)
        return [each for each in found if each[1] != "none"]

    def run(self) -> None:
        while self.now_s < END_S and not all(job.is_over for job in self.jobs):
            self.now_s = min([self.now_s + 30.0, *(at_s for at_s in self._next() if at_s > self.now_s)]) + 1e-6
            while self.outside and self.outside[0][0] <= self.now_s:
                _, kind, number = self.outside.pop(0)
                self._hit_from_outside(kind, self.runners[number])
            for runner in self.runners:
                self._advance(runner)
            for runner in self.runners:
                self._fill(runner)

    def _next(self) -> list[float]:
        coming = [self.outside[0][0]] if self.outside else []
        coming += [runner.up_s for runner in self.runners]
        coming += [job.ready_s for job in self.jobs if not job.is_over]
        for runner in self.runners:
            for each in runner.running:
                coming.append(each.since_s + (each.job.length_s if each.kill_s is None else each.kill_s))
                if each.job.record.runs_alone and (clear_s := each.clears_s()) is not None:
                    coming.append(clear_s)
        return coming

    def _here(self, **facts: bool) -> Circumstances:
        return Circumstances(f"boot {self.boot}", self.oom_kills, **facts)

    def _hit_from_outside(self, kind: str, runner: Runner) -> None:
        if kind == "power":
            self.boot += 1
            self.oom_kills = 0
            for each in self.runners:
                self._runner_dies(each, back_s=BOOT_S, is_seen=False)
        elif kind == "oom":
            self.oom_kills += 1
            self._zygote_dies(runner) if self.rng.random() < 0.5 else self._runner_dies(runner)
        elif kind == "operator":
            self._runner_dies(runner)
        else:
            self._zygote_dies(runner)

    def _progress(self, each: Running) -> None:
        if (rows := each.committed(self.now_s)) > 0:
            job = each.job
            job.record = moves.progressed(
                job.record, at(self.now_s), current_frame=max(rows, each.frame(self.now_s) - 3), end_frame=rows
            )

    def _zygote_dies(self, runner: Runner) -> None:
        for each in runner.running:
            job, attempt = each.job, each.job.record.attempts[-1]
            self._progress(each)
            witnessed = self._here().witnesses(attempt)
            fault = Fault("it died", each.frame(self.now_s), witnessed, attempt.alone, attempt.has_control)
            self._faulted(job, moves.faulted(job.record, fault, at(self.now_s)), ready_s=self.now_s + 0.01)
        runner.running.clear()
        runner.up_s = self.now_s + ZYGOTE_S

    def _runner_dies(self, runner: Runner, *, back_s: float = RUNNER_S, is_seen: bool = True) -> None:
        for each in runner.running:
            job = each.job
            self._progress(each)
            if self.has_supervisor and is_seen:
                record = moves.orphaned(job.record, runner.name, "it died", at(self.now_s), self._here())
                self._faulted(job, record, ready_s=self.now_s + 0.5)
            else:
                self._faulted(job, job.record, ready_s=self.now_s + REDELIVERY_S)
        runner.running.clear()
        runner.up_s = self.now_s + back_s

    def _faulted(self, job: Job, record: JobRecord, *, ready_s: float) -> None:
        job.record, job.ready_s = record, ready_s
        if job.first_fault_s is None:
            job.first_fault_s = self.now_s
        if record.is_terminal:
            job.ended_s = self.now_s

    def _advance(self, runner: Runner) -> None:
        for each in list(runner.running):
            ran_s = self.now_s - each.since_s
            if each not in runner.running:
                return
            if each.kill_s is not None and ran_s >= each.kill_s:
                each.job.hits += len(runner.running) > 1
                self.oom_kills += each.job.kills == "memory"
                self._zygote_dies(runner) if each.job.kills == "zygote" else self._runner_dies(runner)
                return
            if ran_s >= each.job.length_s:
                each.job.record = moves.completed(each.job.record, at(self.now_s))
                each.job.ended_s = self.now_s
                runner.running.remove(each)
            elif each.job.record.runs_alone and clears(each.job.record, each.committed(self.now_s)):
                self._progress(each)

    def _fill(self, runner: Runner) -> None:
        if self.now_s < runner.up_s:
            return
        waiting = [job for job in self.jobs if not job.is_over and job.ready_s <= self.now_s and not self._runs(job)]
        for job in sorted(waiting, key=lambda job: (not job.record.is_suspect, job.ready_s)):
            if len(runner.running) < runner.slots and not runner.is_held:
                self._offer(runner, job)

    def _runs(self, job: Job) -> bool:
        return any(each.job is job for runner in self.runners for each in runner.running)

    def _offer(self, runner: Runner, job: Job) -> None:
        """Do what a claim does: close what a dead owner left open, ask the door, claim."""
        record, now = job.record, at(self.now_s)
        if record.owner is not None:
            record = moves.orphaned(record, record.owner, "it died", now, self._here())
            self._faulted(job, record, ready_s=self.now_s)
        if job.is_over or (self.has_cells and runner.is_cell != record.is_suspect):
            return
        if record.is_suspect and runner.running:
            return
        calm = [(at(other.up_s), at(self.now_s - 2.0)) for other in self.runners if other.up_s <= self.now_s]
        is_controlled = has_control(record, calm)
        if record.is_suspect and (wait_s := seconds_to_wait(record, now, is_controlled=is_controlled)) > 0:
            job.ready_s = self.now_s + wait_s
            return
        circumstances = self._here(alone=record.is_suspect, has_control=is_controlled)
        job.record = moves.claimed(record, runner.name, now, circumstances)
        kill_s = None
        if job.kills:
            kill_s = max(0.05, self.rng.uniform(0, job.length_s) if job.is_erratic else job.kill_s)
        runner.running.append(Running(job, self.now_s, self.rng.uniform(0, 0.3), kill_s))
        if len(runner.running) > 1 and any(each.job.record.runs_alone for each in runner.running):
            self.beside += 1


@pytest.mark.parametrize("with_cells", [True, False], ids=["cells", "no cells"])
@pytest.mark.parametrize("with_faults", [True, False], ids=["faults from outside", "guilty jobs alone"])
def test_no_innocent_job_ends_and_every_guilty_one_does(with_faults, with_cells):
    rng = random.Random(20260102)
    ends: Counter[tuple[str, str]] = Counter()
    early_s, hits, beside = [], [0], 0
    unfinished = 0

    for _ in range(HISTORIES):
        machine = Machine(rng, with_faults=with_faults, with_cells=with_cells)
        machine.run()
        beside += machine.beside
        unfinished += sum(not job.is_over and machine.may_disturb_each_other for job in machine.jobs)
        for job in machine.jobs:
            who = "innocent" if not job.kills else "erratic" if job.is_erratic else "guilty"
            ends[who, job.record.status.value] += 1
            if who == "guilty":
                hits.append(job.hits)
            if who == "guilty" and job.kills != "memory" and job.kill_s <= 3 and job.ended_s is not None:
                early_s.append(job.ended_s - (job.first_fault_s or 0.0))

    print(f"{HISTORIES} histories:", dict(ends), f"early guilty ones: {median(early_s):.0f} s", f"hits {max(hits)}")
    assert {status for who, status in ends if who == "innocent"} == {"completed"}
    assert {status for who, status in ends if who != "innocent"} <= {"failed", "running"}
    assert sum(count for (_, status), count in ends.items() if status == "running") == unfinished
    assert beside == 0
    assert max(hits) <= MOST_HITS
    assert ends["innocent", "completed"] > HISTORIES
    if with_cells:
        assert unfinished == 0
        assert median(early_s) < (90 if with_faults else 60)


@pytest.mark.parametrize("kind", ["power", "oom"])
def test_a_machine_that_fails_again_and_again_ends_no_job(kind):
    """The jobs are long: each is hit many times, also alone, and seldom gets further than before."""
    rng = random.Random(20260103)
    spared = 0
    for _ in range(HISTORIES // 15):
        machine = Machine(rng, with_faults=False, with_cells=rng.random() < 0.5)
        mean_s = rng.choice([5.0, 20.0, 40.0, 80.0])
        for job in machine.jobs:
            job.kills, job.length_s = "", rng.uniform(1, 5) * mean_s
        at_s = 0.0
        while at_s < LOOP_S:
            at_s += rng.expovariate(1 / mean_s) if rng.random() < 0.5 else mean_s
            machine.outside += [(at_s, kind, number) for number in range(len(machine.runners))]

        machine.run()

        assert {job.record.status.value for job in machine.jobs} <= {"completed", "running", "pending"}
        spared = max(spared, *(job.record.attempts_spared for job in machine.jobs))
    assert spared > 10
