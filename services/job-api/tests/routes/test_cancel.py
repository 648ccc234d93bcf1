"""POST /v1/jobs/{job_id}/cancel, alone and against others who end the job at the same moment."""

import asyncio
from functools import partial

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import record_blob
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


async def test_the_owner_of_a_running_job_is_asked_after_the_record_says_cancelled(api, make, monkeypatch):
    record = await api.put(moves.claimed(make.a_record(), "runner-1", make.NOW))
    # Asked once and waited for: on a busy machine a living owner needs longer than the product waits for it.
    patient = partial(api.bus.control.request_cancel, tries=1, timeout_s=60)
    monkeypatch.setattr(api.bus.control, "request_cancel", patient)
    asked = []

    async def stop(job_id, verb):
        asked.append((job_id, verb, (await api.bus.jobs.get(job_id)).record.status))

    async with api.bus.control.on_job(stop):
        answer = await cancel(api, record.job_id)

    assert asked == [(record.job_id, "cancel", JobStatus.CANCELLED)]
    assert answer.json()["stopping"] is False
    assert answer.json()["status"] == "cancelled"


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

        async with api.bus.control.on_job(_answers):
            answer, completed = await asyncio.gather(cancel(api, record.job_id), complete())

        status = (await api.bus.jobs.get(record.job_id)).record.status
        assert (answer.status_code, completed, status) in [(200, False, "cancelled"), (409, True, "completed")]


async def _answers(_job_id, _verb):
    return None


async def test_cancel_stays_200_when_the_rest_of_the_bus_fails_behind_it(api, monkeypatch):
    job_id = (await api.submit()).json()["job_id"]

    async def broken(*_args):
        raise RuntimeError("anything")

    monkeypatch.setattr(api.bus.work, "purge", broken)

    answer = await cancel(api, job_id)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
