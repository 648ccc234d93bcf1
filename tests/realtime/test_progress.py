"""ProgressEvent: its fields, its percentage and its wire form."""

import pytest
from pydantic import ValidationError

from forgesyte_contracts.realtime import ProgressEvent


def test_it_has_its_fields():
    event = ProgressEvent(job_id="a-job", current_frame=5, total_frames=10)

    assert (event.job_id, event.current_frame, event.total_frames) == ("a-job", 5, 10)


@pytest.mark.parametrize(
    ("current", "total", "percent"),
    [
        pytest.param(0, 0, 0, id="0 of 0 is 0"),
        pytest.param(5, 0, 0, id="a total of 0 is 0"),
        pytest.param(5, None, 0, id="an unknown total is 0"),
        pytest.param(1, 3, 33, id="1 of 3 is 33"),
        pytest.param(2, 3, 66, id="rounded down"),
        pytest.param(50, 100, 50, id="50 of 100 is 50"),
        pytest.param(99, 100, 99, id="99 of 100 is 99"),
        pytest.param(199, 200, 99, id="never 100 before the last"),
        pytest.param(100, 100, 100, id="100 of 100 is 100"),
        pytest.param(101, 100, 100, id="never above 100"),
    ],
)
def test_percent(current, total, percent):
    assert ProgressEvent(job_id="a-job", current_frame=current, total_frames=total).percent == percent


def test_percent_is_an_int_and_never_below_what_was_sent():
    event = ProgressEvent(job_id="a-job", current_frame=1, total_frames=100, least_percent=60)

    assert event.percent == 60
    assert type(event.percent) is int


def test_the_wire_form_has_exactly_four_keys():
    wire = ProgressEvent(job_id="a-job", current_frame=1, total_frames=3).wire()

    assert wire == {"job_id": "a-job", "current_frame": 1, "total_frames": 3, "percent": 33}


def test_tool_keys_are_there_only_when_they_are_set():
    wire = ProgressEvent(job_id="a-job", current_frame=1, total_frames=None, current_tool="t", tools_completed=0).wire()

    assert set(wire) == {"job_id", "current_frame", "total_frames", "percent", "current_tool", "tools_completed"}
    assert wire["total_frames"] is None


@pytest.mark.parametrize("wrong", [{"current_frame": -1}, {"total_frames": -1}, {"frame": 1}])
def test_an_impossible_value_is_refused(wrong):
    with pytest.raises(ValidationError):
        ProgressEvent(**{"job_id": "a-job", "current_frame": 1, "total_frames": 3, **wrong})
