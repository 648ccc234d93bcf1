import asyncio

import pytest

from forgesyte_chassis.bus import BusUnavailable, RecordUnwritable, Stored
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import MAX_ATTEMPTS_KEPT, JobRecord, JobStatus, StageTimings
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.streams import MAX_RECORD_BYTES
from forgesyte_contracts.warnings import JobWarning
from tests.support import job_ids

from ..conftest import NOW


def warn(text):
    return lambda record: moves.warned(record, [JobWarning(text=text)])


def texts(record):
    return [warning.text for warning in record.warnings]


def is_record_ack(chunk: bytes) -> bool:
    return b'"stream":"KV_jobs"' in chunk or b'"stream": "KV_jobs"' in chunk


async def test_created_record_reads_back_as_returned(bus, a_record):
    created = await bus.jobs.create(a_record())

    found = await bus.jobs.get(created.record.job_id)

    assert found == created
    assert found.record.write_id


async def test_absent_record_is_none_and_cannot_be_changed(bus, a_record):
    assert await bus.jobs.get(a_record().job_id) is None

    with pytest.raises(ForgeSyteError) as caught:
        await bus.jobs.change(a_record().job_id, warn("x"))

    assert caught.value.code is Code.JOB_UNKNOWN


async def test_second_create_of_the_same_id_is_refused(bus, a_record):
    record = a_record()
    first = await bus.jobs.create(record)

    with pytest.raises(ForgeSyteError, match="already exists"):
        await bus.jobs.create(record)

    assert await bus.jobs.get(record.job_id) == first


async def test_change_that_raises_writes_nothing(bus, a_record):
    created = await bus.jobs.create(a_record())

    with pytest.raises(moves.IllegalJobMove):
        await bus.jobs.change(created.record.job_id, lambda record: moves.completed(record, NOW))

    assert await bus.jobs.get(created.record.job_id) == created


async def test_change_that_gives_the_same_record_writes_nothing(bus, a_record):
    created = await bus.jobs.create(a_record())

    assert await bus.jobs.change(created.record.job_id, lambda record: record) == created


async def test_refused_write_is_applied_again_to_what_stands_there(bus, a_record):
    created = await bus.jobs.create(a_record())
    await bus.jobs.change(created.record.job_id, warn("theirs"))

    changed = await bus.jobs.change(created.record.job_id, warn("ours"), known=created)

    assert texts(changed.record) == ["theirs", "ours"]
    assert await bus.jobs.get(created.record.job_id) == changed


async def test_refused_write_of_a_fenced_owner_is_not_applied_again(bus, a_record):
    created = await bus.jobs.create(a_record())
    old = await bus.jobs.change(created.record.job_id, lambda r: moves.claimed(r, "old", NOW))
    await bus.jobs.change(created.record.job_id, lambda r: moves.claimed(r, "new", NOW))

    def as_old(record: JobRecord) -> JobRecord:
        moves.require_owner(record, "old", 1)
        return moves.progressed(record, NOW, progress=50)

    with pytest.raises(moves.Fenced):
        await bus.jobs.change(created.record.job_id, as_old, known=old)

    assert (await bus.jobs.get(created.record.job_id)).record.owner == "new"


async def test_two_writers_at_once_lose_nothing(connect, a_record):
    one, two = await connect(), await connect()
    job_id = (await one.jobs.create(a_record())).record.job_id

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one.jobs.change(job_id, warn(f"a{number}"), limit_s=120))
            group.create_task(two.jobs.change(job_id, warn(f"b{number}"), limit_s=120))

    warnings = (await one.jobs.get(job_id)).record.warnings
    assert sorted(warning.text for warning in warnings) == sorted(
        f"{who}{number}" for who in "ab" for number in range(20)
    )


@pytest.mark.slow
async def test_write_whose_ack_was_lost_is_known_as_our_own(connect, proxy, a_record):
    bus = await connect(proxy.url)
    created = await bus.jobs.create(a_record())
    calls = []
    proxy.swallow = lambda chunk: is_record_ack(chunk) and proxy.swallowed == 0

    changed = await bus.jobs.change(created.record.job_id, lambda r: calls.append(r) or moves.claimed(r, "me", NOW))

    assert proxy.swallowed == 1
    assert len(calls) == 1
    assert changed.record.attempt == 1
    assert await bus.jobs.get(created.record.job_id) == changed


@pytest.mark.slow
async def test_create_whose_ack_was_lost_is_known_as_our_own(connect, proxy, a_record):
    bus = await connect(proxy.url)
    proxy.swallow = lambda chunk: is_record_ack(chunk) and proxy.swallowed == 0

    created = await bus.jobs.create(a_record())

    assert proxy.swallowed == 1
    assert await bus.jobs.get(created.record.job_id) == created


@pytest.mark.slow
async def test_change_made_while_the_server_is_stopped_lands_once(server, bus, a_record):
    job_id = (await bus.jobs.create(a_record())).record.job_id
    server.pause()

    async with asyncio.TaskGroup() as group:
        change = group.create_task(bus.jobs.change(job_id, warn("once")))
        await asyncio.wait([change], timeout=3)
        server.resume()

    assert (await bus.jobs.get(job_id)).record.warnings == (JobWarning(text="once"),)
    assert change.result().record.warnings == (JobWarning(text="once"),)


@pytest.mark.slow
async def test_change_waits_for_a_killed_server_to_come_back(server, bus, a_record):
    job_id = (await bus.jobs.create(a_record())).record.job_id
    server.kill()

    async with asyncio.TaskGroup() as group:
        change = group.create_task(bus.jobs.change(job_id, warn("after")))
        await asyncio.wait([change], timeout=1)
        await server.start()

    assert change.result().record.warnings == (JobWarning(text="after"),)


async def test_change_gives_up_at_its_limit(server, bus, a_record):
    created = await bus.jobs.create(a_record())
    server.kill()

    with pytest.raises(BusUnavailable):
        await bus.jobs.change(created.record.job_id, warn("x"), known=created, limit_s=0.2)


async def test_record_is_cut_to_64_kib_newest_warnings_kept(bus, a_record):
    created = await bus.jobs.create(a_record())

    # Four bytes a character: 50 warnings of 500 characters have 100 kB.
    changed = await bus.jobs.change(
        created.record.job_id,
        lambda r: moves.warned(r, [JobWarning(text=f"{n} " + "\N{CLAPPER BOARD}" * 498) for n in range(60)]),
    )

    assert len(changed.record.model_dump_json()) <= MAX_RECORD_BYTES
    assert 0 < len(changed.record.warnings) <= 50
    assert changed.record.warnings[-1].text.startswith("59 ")
    assert changed.record.warnings_dropped + len(changed.record.warnings) == 60
    assert await bus.jobs.get(created.record.job_id) == changed


def tails_of(record):
    return [attempt.log_tail for attempt in record.attempts]


async def test_record_of_64_kib_loses_its_oldest_log_tails_before_its_warnings(bus, a_record):
    def crowd(record):
        for number in range(20):
            record = moves.with_log_tail(moves.claimed(record, "r1", NOW), f"{number} " + "\\" * 2000)
            record = moves.released(record, None, NOW)
        return moves.warned(record, [JobWarning(text="x" * 500)] * 20)

    created = await bus.jobs.create(a_record())
    changed = await bus.jobs.change(created.record.job_id, crowd)

    tails, kept = tails_of(changed.record), sum(tail is not None for tail in tails_of(changed.record))
    assert len(changed.record.model_dump_json()) <= MAX_RECORD_BYTES
    assert 0 < kept < 20
    assert tails[:-kept] == [None] * (20 - kept), "the oldest are gone"
    assert tails[-1].startswith("19 ")
    assert len(changed.record.warnings) == 20


async def test_record_loses_its_newest_log_tail_rather_than_being_refused(bus, a_record):
    def crowd(record):
        return moves.with_log_tail(moves.claimed(record, "r1", NOW), "\\" * 2000)

    created = await bus.jobs.create(sized(a_record(), MAX_RECORD_BYTES - 1500))
    changed = await bus.jobs.change(created.record.job_id, crowd)

    assert tails_of(changed.record) == [None]


async def test_record_that_cannot_be_shortened_is_refused_before_anything_is_written(bus, a_record):
    record = a_record(options={"detect-motion": {"text": "x" * MAX_RECORD_BYTES}})

    with pytest.raises(ForgeSyteError) as caught:
        await bus.jobs.create(record)

    assert caught.value.code is Code.REQUEST_INVALID
    assert await bus.jobs.get(record.job_id) is None


async def test_purged_record_is_gone_and_not_listed(bus, a_record):
    kept, gone = await bus.jobs.create(a_record()), await bus.jobs.create(a_record())

    await bus.jobs.purge(gone.record.job_id, revision=gone.revision)

    assert await bus.jobs.get(gone.record.job_id) is None
    assert await job_ids(bus) == [kept.record.job_id]


async def test_record_that_changed_meanwhile_is_not_purged(bus, a_record):
    old: Stored = await bus.jobs.create(a_record())
    new = await bus.jobs.change(old.record.job_id, lambda r: moves.cancelled(r, NOW))

    with pytest.raises(ForgeSyteError, match="changed while"):
        await bus.jobs.purge(old.record.job_id, revision=old.revision)

    assert await bus.jobs.get(old.record.job_id) == new
    assert new.record.status is JobStatus.CANCELLED


async def test_keys_of_an_empty_bucket_are_none(bus):
    assert await job_ids(bus) == []


def sized(record: JobRecord, size_bytes: int) -> JobRecord:
    """The record with an error text that brings it, written, to exactly so many bytes."""
    plain = record.model_copy(update={"error_message": "", "write_id": "0" * 16})
    return record.model_copy(update={"error_message": "x" * (size_bytes - len(plain.model_dump_json()))})


async def test_record_of_exactly_64_kib_is_written(bus, a_record):
    """The server counts the header that names the expected revision with the value."""
    created = await bus.jobs.create(sized(a_record(), MAX_RECORD_BYTES))
    small = await bus.jobs.create(a_record())

    changed = await bus.jobs.change(small.record.job_id, lambda record: sized(record, MAX_RECORD_BYTES))

    for stored in (created, changed):
        assert len(stored.record.model_dump_json()) == MAX_RECORD_BYTES
        assert await bus.jobs.get(stored.record.job_id) == stored


async def test_record_one_byte_over_64_kib_that_cannot_be_shortened_is_refused_permanently(bus, a_record):
    with pytest.raises(RecordUnwritable):
        await bus.jobs.create(sized(a_record(), MAX_RECORD_BYTES + 1))


async def test_record_that_the_bus_refuses_for_good_is_not_tried_again(bus, a_record):
    created = await bus.jobs.create(a_record())
    config = (await bus._main.api("STREAM.INFO.KV_jobs"))["config"]
    await bus._main.api("STREAM.UPDATE.KV_jobs", {**config, "max_msg_size": 2000})

    with pytest.raises(RecordUnwritable) as caught:
        await bus.jobs.change(created.record.job_id, lambda record: sized(record, 4000))

    assert caught.value.code is Code.INTERNAL
    assert not isinstance(caught.value, BusUnavailable)


@pytest.mark.parametrize(
    "poison",
    [{"stage_timings_ms": StageTimings(decode=float("nan"))}, {"error_message": "half a pair \ud83c"}],
    ids=["not a number", "lone surrogate"],
)
async def test_record_that_would_not_read_back_is_refused_before_anything_is_written(bus, a_record, poison):
    created = await bus.jobs.create(a_record())

    with pytest.raises(RecordUnwritable) as caught:
        await bus.jobs.change(created.record.job_id, lambda record: record.model_copy(update=poison))

    assert caught.value.code is Code.INTERNAL
    assert await bus.jobs.get(created.record.job_id) == created


async def test_record_keeps_the_newest_20_attempts(bus, a_record):
    record = a_record()
    for _ in range(MAX_ATTEMPTS_KEPT):
        record = moves.released(moves.claimed(record, "one", NOW), None, NOW)
    newest = record.attempts[-1].model_copy(update={"number": MAX_ATTEMPTS_KEPT + 1})

    stored = await bus.jobs.create(record.model_copy(update={"attempts": (*record.attempts, newest)}))

    assert [each.number for each in stored.record.attempts] == list(range(2, MAX_ATTEMPTS_KEPT + 2))


async def test_missing_bucket_is_no_missing_record(bus, a_record):
    created = await bus.jobs.create(a_record())
    await bus._main.api("STREAM.DELETE.KV_jobs")

    with pytest.raises(BusUnavailable):
        await bus.jobs.get(created.record.job_id)
