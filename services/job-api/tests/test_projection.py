"""The list in memory: revisions, departures, history."""

from types import SimpleNamespace

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.ids import new_job_id
from forgesyte_job_api.projection import PageQuery, Projection


@pytest.fixture
def clock(make):
    return make.HandClock()


@pytest.fixture
def projection(clock):
    return Projection(history=2, clock=clock)


def listed(projection):
    return [record.job_id for record in projection.page(PageQuery(limit=100)).records]


def test_an_older_revision_changes_nothing(projection, make):
    record = make.a_record()
    projection.apply(record.job_id, moves.cancelled(record, make.NOW), 2)

    projection.apply(record.job_id, record, 1)

    assert projection.get(record.job_id).record.status == "cancelled"


def test_the_same_revision_seen_twice_does_not_look_younger(projection, clock, make):
    record = make.a_record()
    projection.apply(record.job_id, record, 1)
    clock.passed_s = 60

    projection.apply(record.job_id, record, 1)

    assert projection.get(record.job_id).since_s == 1000.0


def test_a_living_job_that_left_the_bus_is_forgotten(projection, make):
    record = make.a_record()
    projection.apply(record.job_id, record, 1)

    projection.apply(record.job_id, None, 1)

    assert listed(projection) == []


def test_ended_jobs_that_left_the_bus_stay_up_to_the_history_newest_first(projection, make):
    records = [moves.cancelled(make.a_record(job_id=new_job_id(time_ms=n)), make.NOW) for n in range(1, 5)]
    for revision, record in enumerate(records, start=1):
        projection.apply(record.job_id, record, revision)

    for record in records:
        projection.apply(record.job_id, None, 10)

    assert listed(projection) == [records[3].job_id, records[2].job_id]
    assert projection.on_bus() == []


def test_a_remembered_job_that_is_on_the_bus_after_all_counts_as_such(projection, make):
    record = moves.cancelled(make.a_record(), make.NOW)
    projection.remember(record)

    projection.apply(record.job_id, record, 5)

    assert [seen.revision for seen in projection.on_bus()] == [5]
    assert listed(projection) == [record.job_id]


def test_a_cursor_whose_job_is_gone_still_leads_to_the_next_page(projection, make):
    records = [make.a_record(job_id=new_job_id(time_ms=n)) for n in range(1, 5)]
    for record in records:
        projection.apply(record.job_id, record, 1)
    projection.forget(records[2].job_id)

    page = projection.page(PageQuery(limit=10, before=records[2].job_id))

    assert [record.job_id for record in page.records] == [records[1].job_id, records[0].job_id]


def test_a_bus_that_went_back_makes_what_was_seen_void(projection, make):
    stays, vanished = make.a_record(), make.a_record()
    projection.apply(stays.job_id, moves.cancelled(stays, make.NOW), 7)
    projection.apply(vanished.job_id, vanished, 8)

    projection.apply(stays.job_id, stays, 2, is_anew=True)
    projection.apply(vanished.job_id, None, 3, is_anew=True)

    assert projection.get(stays.job_id).record == stays
    assert listed(projection) == [stays.job_id]


@pytest.mark.parametrize(("behind_for_s", "is_far"), [(0.0, False), (4.9, False), (5.1, True)])
def test_a_list_that_is_behind_for_more_than_5_s_is_far_behind(projection, behind_for_s, is_far):
    projection._feed = SimpleNamespace(behind_for_s=behind_for_s)

    assert projection.is_far_behind is is_far


def test_a_list_without_a_feed_is_far_behind(projection):
    assert projection.is_far_behind
