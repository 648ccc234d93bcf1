"""Every fault on the real sandbox: how it ends, how soon, what it leaves, and that no other job notices.

The short form of the matrix: one real zygote, for each fault a healthy job beside it and one after it.
"""

from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code
from tests.stability.promises import CASES, HARMLESS, IN_A_JOB, IN_PRODUCT_ALONE, ON_IMAGE, PROMISES, Promise
from tests.stability.report import Line
from tests.stability.witness import open_descriptors
from tests.stability.workbench import Told, Workbench, entry_points, seconds_over
from tests.support import eventually

TITLE = "faults in the sandbox (isolation: job)"
TITLE_IMAGE = "faults on an image"
VERDICT_WITHIN_S = 1.0
PATIENCE = 10
"""The contract says 1 s. A machine that does a lot beside may be this many times slower; the table prints the truth."""

CODES = {
    "succeeded": None,
    "failed": Code.PLUGIN_ERROR,
    "timeout": Code.PLUGIN_TIMEOUT,
    "oom": Code.PLUGIN_OOM,
    "crashed": Code.PLUGIN_CRASH,
}


def rows() -> list:
    return [
        pytest.param(promise, id=promise.plugin, marks=[pytest.mark.long] if promise.is_long else [])
        for promise in PROMISES
    ]


def test_every_fault_has_a_promise_and_every_promise_a_fault():
    promised = [promise.plugin for promise in PROMISES] + [*IN_PRODUCT_ALONE, *HARMLESS]

    assert sorted(promised) == sorted(entry_points())


def test_every_fault_is_in_a_group_in_each_isolation_and_on_each_kind_of_media():
    told = {case: sorted(promise.plugin for promise in group) for case, group in CASES.items()}
    found = {
        (isolation, media): sorted(
            plugin for case, plugins in told.items() if case[:2] == (isolation, media) for plugin in plugins
        )
        for isolation in ("job", "plugin")
        for media in ("video", "image")
    }

    every_fault = sorted({*entry_points()} - {*IN_PRODUCT_ALONE} - {*HARMLESS})
    on_image = sorted(promise.plugin for promise in ON_IMAGE)
    assert found == {
        ("job", "video"): every_fault,
        ("plugin", "video"): sorted(promise.plugin for promise in IN_A_JOB),
        ("job", "image"): on_image,
        ("plugin", "image"): on_image,
    }
    assert {promise.plugin for promise in PROMISES} == {*every_fault}


@pytest.mark.slow
@pytest.mark.parametrize("promise", rows())
async def test_a_fault_ends_as_promised_and_no_other_job_notices(workbench, promise: Promise, matrix, stray_files):
    await hold_to(promise, workbench, matrix.setdefault(TITLE, []))

    # What a uid of its own has left is found by it; the service's own uid has files of others there.
    is_left = any(Path("/dev/shm").glob(f"{stray_files}*"))
    assert not (is_left and workbench.zygote.policy.uid_is_exclusive)


@pytest.mark.long
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.plugin)
async def test_a_fault_ends_as_promised_where_the_wall_is_degraded(degraded_workbench, promise: Promise, matrix):
    lines, line = matrix.setdefault(TITLE, []), Line(promise.plugin, "")
    row = next((row for row in lines if row.fault == promise.plugin), None)
    if row is None:
        row = Line(promise.plugin, "/".join(promise.kinds), verdict="ok, degraded alone")
        lines.append(row)
    row.degraded = "BROKEN"

    await hold(promise.when_degraded, degraded_workbench, line)

    row.degraded = line.found


@pytest.mark.slow
@pytest.mark.parametrize("promise", ON_IMAGE, ids=lambda promise: promise.plugin)
async def test_a_fault_on_an_image_ends_as_promised(workbench: Workbench, promise: Promise, matrix, picture):
    await hold_to(promise, workbench, matrix.setdefault(TITLE_IMAGE, []), picture)


async def hold_to(promise: Promise, workbench: Workbench, lines: list[Line], image: Path | None = None) -> None:
    """Run a row of the table and hold the sandbox to it."""
    line = Line(promise.plugin, "/".join(promise.kinds))
    lines.append(line)
    await hold(promise, workbench, line, image)


async def hold(promise: Promise, workbench: Workbench, line: Line, image: Path | None = None) -> None:
    zygote_pid, before, scratch = workbench.zygote.pid, open_descriptors(), workbench.scratch("fault")

    told, neighbour, left = await workbench.fault_beside(promise, scratch, image)
    after = await workbench.healthy("after")

    fill(line, promise, told, scratch, left)
    line.parent = "same" if workbench.zygote.pid == zygote_pid else "NEW"
    line.beside, line.after = word(neighbour.is_right), word(after.is_right)
    assert told.outcome.kind in promise.kinds, told.outcome
    assert_error(promise, told)
    assert [text for text in told.warnings if promise.warning in text] or not promise.warning, told.warnings
    assert left == []
    assert workbench.zygote.pid == zygote_pid
    assert neighbour.is_right, neighbour.outcome
    assert after.is_right, after.outcome
    # A thread that still looks at a folder or a process holds one for a moment.
    await eventually(lambda: open_descriptors() <= before, 20, "the parent lost no descriptor")
    assert line.over_s is None or line.over_s < VERDICT_WITHIN_S * PATIENCE
    line.verdict = "ok"


def fill(line: Line, promise: Promise, told: Told, scratch: Path, left: list[str]) -> None:
    outcome = told.outcome
    detail = f" {outcome.error_type}: {outcome.error}" if outcome.error else ""
    line.found = f"{outcome.kind}{detail}".replace("\n", " ")
    line.left = str(len(left))
    is_ended_by_us = promise.kinds != ("succeeded",)
    line.over_s = seconds_over(promise, told, scratch) if is_ended_by_us else None


def assert_error(promise: Promise, told: Told) -> None:
    outcome = told.outcome
    assert outcome.code == CODES[outcome.kind]
    if outcome.kind == "succeeded":
        assert outcome.error is None
        return
    wanted = promise.error_type or outcome.error_type
    assert outcome.error_type == (wanted if outcome.kind == "failed" else outcome.kind)
    is_exact = outcome.kind == "failed" and promise.program == "job" and promise.text
    assert (outcome.error == promise.text) if is_exact else (promise.text in outcome.error), outcome.error
    if promise.frame is not None and promise.program == "job":
        assert outcome.frame == promise.frame
    assert "Traceback" not in outcome.error, "a sentence, not a dump"
    assert len(outcome.error) < 20_000


def word(is_right: bool) -> str:
    return "right" if is_right else "WRONG"
