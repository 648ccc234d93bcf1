"""What the server holds after ensure(): the settings that contracts name, on a new server and on an old one."""

import pytest

from forgesyte_chassis.bus.provision import NS, stream_of
from forgesyte_contracts import subjects
from forgesyte_contracts.streams import BUCKETS, HEADER_ROOM_BYTES, JOBS, MAX_RECORD_BYTES, WORK


async def stream(bus, name):
    return (await bus._main.api(f"STREAM.INFO.{name}"))["config"]


async def test_work_is_a_queue_without_age_limit(bus):
    config = await stream(bus, WORK.name)

    assert config["subjects"] == [subjects.ALL_WORK]
    assert (config["retention"], config["storage"], config["max_age"]) == ("workqueue", "file", 0)


async def test_consumer_of_work_waits_ten_seconds_and_never_stops_delivering(bus):
    await bus.work.ensure_consumer("motion-detector", "cpu")

    name = subjects.work_consumer("motion-detector", "cpu")
    config = (await bus._main.api(f"CONSUMER.INFO.{WORK.name}.{name}"))["config"]
    assert config["filter_subject"] == subjects.work_filter("motion-detector", "cpu")
    assert (config["ack_policy"], config["ack_wait"], config["max_deliver"]) == ("explicit", 10 * NS, -1)
    assert config["max_ack_pending"] == 10_000


@pytest.mark.parametrize("bucket", BUCKETS, ids=lambda bucket: bucket.name)
async def test_reads_of_a_bucket_are_answered_by_the_leader(bus, bucket):
    config = await stream(bus, stream_of(bucket.name))

    assert not config.get("allow_direct")
    assert config["max_age"] == int((bucket.ttl_s or 0) * NS)


async def test_bucket_of_an_older_release_gets_the_present_settings_and_keeps_its_records(bus, a_record):
    stored = await bus.jobs.create(a_record())
    name = stream_of(JOBS.name)
    older = {**await stream(bus, name), "max_msg_size": MAX_RECORD_BYTES}
    await bus._main.api(f"STREAM.UPDATE.{name}", older)

    await bus.ensure()
    await bus.ensure()

    assert (await stream(bus, name))["max_msg_size"] == MAX_RECORD_BYTES + HEADER_ROOM_BYTES
    assert await bus.jobs.get(stored.record.job_id) == stored
