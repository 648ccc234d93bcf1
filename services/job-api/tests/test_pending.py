"""How many jobs of one key may wait: contract section 9, 100 unless set otherwise."""

import asyncio

import pytest

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts import moves
from forgesyte_job_api.settings import JobApiSettings
from tests.support import digest_of, eventually, job_ids


@pytest.fixture
def ring():
    keys = tuple(f"{name}:analyze+read:{digest_of(name)}" for name in ("one", "other"))
    return KeyRing.from_settings(JobApiSettings(api_keys=keys))


def test_a_key_may_have_100_pending_jobs_unless_set_otherwise():
    assert JobApiSettings().max_pending_jobs == 100


async def test_one_pending_job_too_many_is_refused_and_leaves_nothing(start):
    async with start(max_pending_jobs=2) as api:
        await api.beat()
        accepted = [(await api.submit()).status_code for _ in range(2)]

        refused = await api.submit()

        assert accepted == [202, 202]
        assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert int(refused.headers["Retry-After"]) >= 1
        assert "2 jobs" in refused.json()["detail"]
        assert len(await job_ids(api.bus)) == len(await api.store.list("")) == 2
        assert api.value("jobs_rejected_total", code="TOO_MANY_REQUESTS") == 1


async def test_a_full_key_is_refused_before_its_body_is_read(start):
    read = []

    async def body():
        read.append(1)
        yield b"bytes"

    async with start(max_pending_jobs=1) as api:
        await api.beat()
        await api.submit()

        refused = await api.submit(body())

        assert (refused.status_code, read) == (429, [])


async def test_jobs_submitted_at_once_do_not_slip_past_the_limit(start):
    async with start(max_pending_jobs=2) as api:
        await api.beat()

        answers = await asyncio.gather(*(api.submit() for _ in range(6)))

        assert sorted(answer.status_code for answer in answers) == [202, 202, 429, 429, 429, 429]
        assert len(await job_ids(api.bus)) == len(await api.store.list("")) == 2


async def test_a_job_that_begins_makes_room(start, make):
    async with start(max_pending_jobs=1) as api:
        await api.beat()
        job_id = (await api.submit()).json()["job_id"]
        await api.bus.jobs.change(job_id, lambda record: moves.claimed(record, "runner-1", make.NOW))
        await eventually(lambda: api.state.projection.get(job_id).record.status == "running")

        answer = await api.submit()

        assert answer.status_code == 202


async def test_each_key_has_a_limit_of_its_own(start, ring):
    async with start(keys=ring, max_pending_jobs=1) as api:
        await api.beat()

        answers = [await api.submit(api_key=key) for key in ("one", "one", "other", "other")]

        assert [answer.status_code for answer in answers] == [202, 429, 202, 429]


async def test_the_limit_counts_what_another_replica_accepted(start):
    async with start(max_pending_jobs=1) as api, start(max_pending_jobs=1) as other:
        await api.beat()
        await other.beat()
        job_id = (await other.submit()).json()["job_id"]
        await eventually(lambda: api.state.projection.get(job_id) is not None)

        answer = await api.submit()

        assert answer.status_code == 429


async def test_zero_sets_no_limit(start):
    async with start(max_pending_jobs=0) as api:
        await api.beat()

        answers = [await api.submit() for _ in range(3)]

        assert [answer.status_code for answer in answers] == [202, 202, 202]
