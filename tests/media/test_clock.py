"""The time of every frame against the schedule by which the test made the file, and no warning where nothing is wrong.

Each file runs as a job in a real sandbox.
"""

from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import av
import orjson
import pytest

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec

from .schedules import ALL, HEALTHY, UNUSABLE, Scheduled

TOLERANCE_MS = 1.0
"""Containers that keep whole milliseconds round both ends of a distance."""


def stated_us(path: Path) -> list[int]:
    """The timestamps that FFmpeg gives, in the order in which the decoder gives frames; 0 where it knows none."""
    with av.open(str(path)) as container:
        frames = [(frame.pts, frame.time_base) for frame in container.decode(video=0)]
    return [0 if pts is None else floor(pts * base * 1_000_000 + Fraction(1, 2)) for pts, base in frames]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ALL])
async def test_frames_have_the_times_of_the_schedule(zygote, tmp_path, case: Scheduled):
    path = case.make(tmp_path)
    said = []

    spec = JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1")
    outcome = await zygote.run(Order(spec, limits=Limits(), on_message=said.append))

    assert outcome.ok, outcome.error
    rows = [orjson.loads(message.data) for message in said if isinstance(message, messages.Row)]
    found = [row["timestamp_ms"] for row in rows]
    moments = [message.time_us for message in said if isinstance(message, messages.Row)]
    assert found == pytest.approx(case.truth_ms, abs=TOLERANCE_MS)
    assert min(found) == found[0] == 0
    assert all(before <= after for before, after in pairwise(found))
    stated = stated_us(path)
    assert moments[0] == stated[0], "where the file has its first frame"
    assert [each - moments[0] for each in moments] == pytest.approx([1000 * ms for ms in found], abs=2)
    if case.clock == "pts" and case.format != "avi":
        assert moments == stated
    assert [row["detections"]["number"] for row in rows] == list(range(30))[-len(rows) :]
    assert outcome.result["clock"] == case.clock
    assert outcome.result["fps"] == pytest.approx((len(rows) - 1) * 1000 / found[-1], rel=1e-3)
    warnings = [message.text for message in said if isinstance(message, messages.Warning)]
    assert len(warnings) == bool(case.warns)
    assert all(case.warns in text for text in warnings)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in HEALTHY if "begins at" in case.name])
async def test_a_length_that_begins_late_is_no_reason_for_progress_to_stand_still(zygote, tmp_path, case: Scheduled):
    path = case.make(tmp_path)
    said = []

    spec = JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1")
    await zygote.run(Order(spec, limits=Limits(), on_message=said.append))

    (started,) = (message for message in said if isinstance(message, messages.Started))
    assert 28 <= started.estimated_total <= 75, "three seconds, at 10 or the announced 25 frames per second"
    estimates = [message.estimated_total for message in said if isinstance(message, messages.Timings)]
    assert estimates[-1] == pytest.approx(30, abs=2)


async def test_an_estimate_at_a_variable_rate_comes_right_while_frames_come(zygote, tmp_path):
    (case,) = (case for case in HEALTHY if case.name == "h264 b variable.mpegts")
    path = case.make(tmp_path)
    said = []

    spec = JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1")
    await zygote.run(Order(spec, limits=Limits(), on_message=said.append))

    (started,) = (message for message in said if isinstance(message, messages.Started))
    assert started.total is None
    assert started.estimated_total > 100, "the length times the densest rate"
    estimates = [message.estimated_total for message in said if isinstance(message, messages.Timings)]
    assert estimates[-1] == pytest.approx(30, abs=1)


def test_there_are_enough_files_and_only_those_without_usable_times_are_counted():
    assert len(ALL) >= 60
    assert len([case for case in HEALTHY if not case.warns]) >= 60
    assert {case.name for case in ALL if case.clock == "counted"} == {case.name for case in UNUSABLE}
