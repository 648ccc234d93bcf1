import pytest

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.bus.connection.connection import REQUEST_LIMIT_S
from forgesyte_chassis.bus.write_probe import AGAIN_LIMIT_S, EVERY_S, WriteProbe
from forgesyte_contracts.ids import new_job_id
from tests.support import NatsServer, eventually
from tests.support.small_disk import small_disk


async def test_readers_pass_over_what_the_probe_writes(bus, a_record, a_heartbeat):
    probe = WriteProbe(bus._main)
    await probe.look()

    async with bus.jobs.watch() as jobs, bus.runners.watch() as runners, bus.plugins.watch() as plugins:
        await probe.look()
        record = a_record()
        await bus.jobs.create(record)
        await bus.runners.beat(a_heartbeat("one"))
        await eventually(lambda: set(runners.living()) == {"one"})
        assert plugins.all() == {}
        assert [change.job_id async for change in _first(jobs)] == [record.job_id]
        await eventually(lambda: jobs.lag == 0)

    assert bus.fault is None
    assert await bus.work.publish(new_job_id(), "probe", "cpu"), "the queue took the probe and has room for a job"
    assert await _messages(bus, "WORK") == 1


@pytest.mark.parametrize("stream", ["KV_jobs", "KV_runners", "KV_plugins", "WORK"])
async def test_each_stream_is_probed(bus, stream):
    """Deleting it is the one way to make it refuse what others take."""
    await bus._main.api(f"STREAM.DELETE.{stream}")

    await WriteProbe(bus._main).look()

    assert stream.removeprefix("KV_") in bus.fault
    assert bus.usable_for_s == 0


def test_a_fault_is_known_within_five_seconds_by_every_s_and_again_limit_s():
    assert EVERY_S + REQUEST_LIMIT_S + AGAIN_LIMIT_S <= 5


@pytest.mark.slow
async def test_a_server_whose_disk_was_full_stores_nothing_until_it_is_restarted(tmp_path):
    with small_disk(tmp_path / "disk", size="64m") as disk:
        server = NatsServer(disk.path)
        await server.start()
        try:
            async with Bus.connect(server.url, name="test") as bus:
                await bus.ensure()
                probe = WriteProbe(bus._main)
                await probe.look()
                assert (bus.fault, bus.check()) == (None, True)

                disk.fill()

                async def has_fault() -> bool:
                    await probe.look()
                    return bus.fault is not None

                await eventually(has_fault, what="the last page of a file is full")
                assert bus.is_connected
                assert "stores nothing" in bus.check()
                disk.free()
                assert await has_fault(), "space alone does not help"

                await server.restart()

                await bus.wait_connected(60)
                await probe.look()
                assert bus.fault is None
                assert bus.usable_for_s < 60
        finally:
            server.kill()


async def _first(jobs):
    async for change in jobs:
        yield change
        return


async def _messages(bus: Bus, stream: str) -> int:
    return (await bus._main.api(f"STREAM.INFO.{stream}"))["state"]["messages"]
