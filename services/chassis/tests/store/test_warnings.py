"""Warnings beyond the record, as attempts of today and of earlier versions kept them."""

from datetime import UTC, datetime

import pytest

from forgesyte_chassis.store.warnings import all_warnings, write_warnings
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.subjects import warnings_blob
from forgesyte_contracts.warnings import JobWarning, Severity

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NEWEST = JobWarning(text="newest", frame_index=9)


@pytest.fixture
def record() -> JobRecord:
    facts = {"plugin_id": "p", "tools": ("t",), "created_at": NOW, "updated_at": NOW}
    return JobRecord(job_id=new_job_id(), attempt=1, warnings_dropped=2, warnings=(NEWEST,), **facts)


async def test_kept_warnings_come_back_before_those_of_the_record_with_frame_and_severity(store, record):
    older = [JobWarning(text="first", frame_index=3, severity=Severity.LOW), JobWarning(text="second")]
    await write_warnings(store, record.job_id, 1, list(enumerate([*older, NEWEST])))

    assert await all_warnings(store, record) == list(enumerate([*older, NEWEST]))


async def test_warnings_that_an_earlier_version_kept_as_plain_texts_are_read(store, record):
    await store.put(warnings_blob(record.job_id, 1), b'[[0,"frame 7 is odd"],[1,"second"]]')

    read = [JobWarning(text="frame 7 is odd"), JobWarning(text="second"), NEWEST]
    assert await all_warnings(store, record) == list(enumerate(read))
