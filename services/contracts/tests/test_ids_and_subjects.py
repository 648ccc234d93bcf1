"""Ids and subjects: what they look like and that nothing else gets through."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgesyte_contracts import subjects
from forgesyte_contracts.ids import is_name, new_job_id, new_runner_id, parse_job_id


def test_a_job_id_is_a_uuid_of_version_7_that_sorts_by_time():
    ids = [new_job_id(time_ms=ms) for ms in (1, 2, 1_700_000_000_000)]

    assert ids == sorted(ids)
    assert {uuid.UUID(text).version for text in ids} == {7}
    assert {uuid.UUID(text).variant for text in ids} == {uuid.RFC_4122}


@pytest.mark.parametrize("text", ["", "x", "0190", "{" + "0" * 34 + "}", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"])
def test_what_is_no_uuid_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_job_id(text)


@pytest.mark.parametrize("text", ["a.b", "a*", ">", "a b", "A", "", "a\n", "x" * 65, "ä"])
def test_a_name_holds_nothing_the_bus_could_misread(text):
    assert not is_name(text)


@given(st.text(max_size=80))
def test_a_runner_id_is_a_name_whatever_the_host_is_called(host):
    assert is_name(new_runner_id(host))


def test_a_work_subject_can_be_taken_apart_again():
    job_id = new_job_id()

    assert subjects.parse_work(subjects.work("p", "cpu", job_id)) == ("p", "cpu", job_id)
    with pytest.raises(ValueError, match=r"expected forgesyte\.work"):
        subjects.parse_work("forgesyte.live.x.y.z")


def test_a_segment_path_says_attempt_and_first_frame():
    assert subjects.parse_segment(subjects.segment_blob(new_job_id(), 3, 400)) == (3, 400)
