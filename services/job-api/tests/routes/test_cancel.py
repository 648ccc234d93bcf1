"""POST /v1/jobs/{job_id}/cancel, alone and against others who end the job at the same moment."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import ResultSummary
from forgesyte_contracts.subjects import record_blob
from forgesyte_job_api.routes import cancel as route
from tests.support import eventually


async def cancel(api, job_id):
    return await api.http.post(f"/v1/jobs/{job_id}/cancel")


async def test_a_pending_job_is_cancelled_and_its_work_taken_back(api):
    job_id = (await api.submit()).json()["job_id"]

    answer = await cancel(api, job_id)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["error_code"], body["stopping"]) == ("cancelled", "CANCELLED", False)
    assert not await api.bus.work.has(job_id, "motion", "cpu")
    assert (await api.http.get(f"/v1/jobs/{job_id}")).json()["status"] == "cancelled"
    assert await api.store.size(record_blob(job_id)) is not None


class Owner:
    """The runner of a job: it agrees to a cancel, and then commits its last rows and writes the ending, or hangs."""

    def __init__(self, api, make, *, hangs=False):
        self.api, self.make, self.hangs = api, make, hangs
        self.asked = []

    async def take(self, job_id, verb):
        self.asked.append((verb, (await self.api.bus.jobs.get(job_id)).record.status))
        if not self.hangs:
            with suppress(moves.IllegalJobMove):  # it has just completed
                await self.api.bus.jobs.change(job_id, self._ended)

    def _ended(self, record):
        rows = ResultSummary(frame_count=9)
        return moves.cancelled(moves.progressed(record, self.make.NOW, end_frame=9, summary=rows), self.make.NOW)


@pytest.fixture
def patient(api, monkeypatch):
    """Ask once and wait: on a busy machine a living owner needs longer than the product waits for it."""
    monkeypatch.setattr(
        api.bus.control, "request_cancel", partial(api.bus.control.request_cancel, tries=1, timeout_s=60)
    )


async def running(api, make):
    """A job that has done more frames than it has committed."""
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    return await api.put(
        moves.progressed(record, make.NOW, end_frame=4, current_frame=9, summary=ResultSummary(frame_count=4))
    )


async def test_the_owner_of_a_running_job_ends_it_with_the_rows_that_only_it_has(api, make, patient):
    record, owner = await running(api, make), Owner(api, make)

    async with api.bus.control.on_job(owner.take):
        answer = await cancel(api, record.job_id)

    assert owner.asked == [("cancel", JobStatus.RUNNING)]
    body = answer.json()
    assert (answer.status_code, body["status"], body["stopping"]) == (200, "cancelled", False)
    assert (body["current_frame"], body["summary"]["frame_count"]) == (9, 9)


async def test_an_owner_that_does_not_get_it_done_in_time_loses_its_last_rows(api, make, patient, monkeypatch):
    monkeypatch.setattr(route, "OWNER_LIMIT_S", 0.1)
    record, owner = await running(api, make), Owner(api, make, hangs=True)

    async with api.bus.control.on_job(owner.take):
        answer = await cancel(api, record.job_id)

    body = answer.json()
    assert (answer.status_code, body["status"], body["stopping"]) == (200, "cancelled", True)
    assert (body["current_frame"], body["summary"]["frame_count"]) == (4, 4)


async def test_of_many_cancels_of_a_running_job_exactly_one_is_told_that_it_did_it(api, make, patient):
    record, owner = await running(api, make), Owner(api, make)

    async with api.bus.control.on_job(owner.take):
        answers = await asyncio.gather(*(cancel(api, record.job_id) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert len(owner.asked) == 1


@pytest.mark.slow
async def test_stopping_is_true_while_the_owner_does_not_answer(api, make):
    record = await api.put(moves.claimed(make.a_record(), "runner-1", make.NOW))

    answer = await cancel(api, record.job_id)

    assert (answer.status_code, answer.json()["stopping"]) == (200, True)


@pytest.mark.parametrize("job_id", [str(new_job_id())], ids=["unknown"])
async def test_an_unknown_job_cannot_be_cancelled(api, job_id):
    answer = await cancel(api, job_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


async def test_an_ended_job_cannot_be_cancelled_and_stays_as_it_is(api, make):
    record = await api.put(moves.failed(make.a_record(), Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW))

    answer = await cancel(api, record.job_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_FINISHED")
    assert answer.json()["job_id"] == record.job_id
    assert (await api.bus.jobs.get(record.job_id)).record.status == "failed"


async def test_a_job_that_is_known_to_have_ended_needs_no_bus_to_be_refused(api, make):
    record = await api.put(moves.failed(make.a_record(), Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW))
    api.server.kill()
    await eventually(lambda: not api.bus.is_connected)

    async with asyncio.timeout(5):
        answer = await cancel(api, record.job_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_FINISHED")


async def test_a_job_that_ended_long_ago_is_409_although_its_record_left_the_bus(api, make):
    record = moves.cancelled(make.a_record(), make.NOW)
    await api.store.put(record_blob(record.job_id), record.model_dump_json().encode())

    answer = await cancel(api, record.job_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_FINISHED")


async def test_of_many_cancels_at_once_exactly_one_is_told_that_it_did_it(api):
    job_id = (await api.submit()).json()["job_id"]

    answers = await asyncio.gather(*(cancel(api, job_id) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


@pytest.mark.slow
async def test_cancel_against_completion_has_one_winner(api, make):
    for _ in range(10):
        record = await api.put(moves.claimed(make.a_record(), "runner-1", make.NOW))

        async def complete(job_id=record.job_id):
            try:
                await api.bus.jobs.change(job_id, lambda r: moves.completed(r, make.NOW))
            except moves.IllegalJobMove:
                return False
            return True

        async with api.bus.control.on_job(Owner(api, make).take):
            answer, completed = await asyncio.gather(cancel(api, record.job_id), complete())

        status = (await api.bus.jobs.get(record.job_id)).record.status
        assert (answer.status_code, completed, status) in [(200, False, "cancelled"), (409, True, "completed")]


async def test_cancel_stays_200_when_the_rest_of_the_bus_fails_behind_it(api, monkeypatch):
    job_id = (await api.submit()).json()["job_id"]

    async def broken(*_args):
        raise RuntimeError("anything")

    monkeypatch.setattr(api.bus.work, "purge", broken)

    answer = await cancel(api, job_id)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
