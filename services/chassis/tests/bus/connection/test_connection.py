import asyncio
import gc
from contextlib import asynccontextmanager

import psutil
import pytest

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.bus.provision import stream_of
from forgesyte_contracts.problems import Code
from forgesyte_contracts.streams import BUCKETS, RUNNERS, WORK
from tests.support import HandClock, eventually, job_ids
from tests.support.nats import free_port


@pytest.mark.slow
async def test_absent_server_is_a_clear_error_within_the_limit():
    with pytest.raises(
        BusUnavailable, match=r"Could not connect to NATS at .* within 0.2 s.*Check that nats-server is running"
    ) as caught:
        async with Bus.connect(f"nats://127.0.0.1:{free_port()}", name="test", limit_s=0.2):
            pass

    assert caught.value.code is Code.SERVICE_UNAVAILABLE
    assert caught.value.retryable


@pytest.mark.slow
async def test_server_that_accepts_but_never_answers_is_a_clear_error(server):
    server.pause()

    with pytest.raises(BusUnavailable):
        async with Bus.connect(server.url, name="test", limit_s=0.5):
            pass


async def test_secret_in_the_address_is_not_shown():
    with pytest.raises(BusUnavailable) as caught:
        async with Bus.connect(f"nats://secret@127.0.0.1:{free_port()}", name="test", limit_s=0.1):
            pass

    assert "secret" not in str(caught.value)


@pytest.mark.slow
async def test_connect_waits_for_a_server_that_starts_late(server):
    server.kill()

    async def use():
        async with Bus.connect(server.url, name="test") as bus:
            return bus.is_connected

    async with asyncio.TaskGroup() as group:
        using = group.create_task(use())
        await asyncio.wait([using], timeout=0.3)
        await server.start()

    assert using.result()


async def test_error_inside_the_block_comes_out_as_it_is(server):
    with pytest.raises(ValueError, match="mine"):
        async with Bus.connect(server.url, name="test"):
            raise ValueError("mine")


async def test_ensure_twice_changes_nothing_and_direct_gets_are_off(bus):
    await bus.ensure()

    for stream in (WORK.name, *(stream_of(bucket.name) for bucket in BUCKETS)):
        config = (await bus._main.api(f"STREAM.INFO.{stream}"))["config"]
        assert config["allow_direct"] is False
    assert config["storage"] == "file"


async def test_ensure_brings_an_old_stream_to_the_present_settings(bus):
    name = stream_of(RUNNERS.name)
    config = (await bus._main.api(f"STREAM.INFO.{name}"))["config"]
    await bus._main.api(f"STREAM.UPDATE.{name}", {**config, "max_msg_size": 1000, "allow_direct": True})

    await bus.ensure()

    config = (await bus._main.api(f"STREAM.INFO.{name}"))["config"]
    assert (config["max_msg_size"], config["allow_direct"]) == (RUNNERS.max_value_bytes, False)


@pytest.mark.slow
async def test_time_of_connection_starts_again_with_each_reconnect(server, connect):
    clock, called = HandClock(), []
    bus = await connect(clock=clock)
    bus.on_reconnect(lambda: called.append("kept"))
    bus.on_reconnect(lambda: called.append("removed"))()
    clock.passed_s = 100.0
    assert bus.usable_for_s == 100.0

    server.kill()
    await eventually(lambda: bus.usable_for_s == 0 and not bus.is_connected)
    await server.start()
    await bus.wait_connected(60)

    assert bus.usable_for_s == 0
    clock.passed_s += 1.0
    assert bus.usable_for_s == 1.0
    assert (bus.reconnects, called) == (1, ["kept"])


@pytest.mark.slow
async def test_stopped_server_is_noticed_and_found_again(server, bus, a_record):
    server.pause()

    await eventually(lambda: not bus.is_connected)
    server.resume()
    await bus.wait_connected(60)

    assert await bus.jobs.get(a_record().job_id) is None


@pytest.mark.slow
@pytest.mark.parametrize("error", ["Authentication Timeout", "Maximum Connections Exceeded", "Some New Error"])
async def test_error_said_by_the_server_never_ends_the_connection_for_good(connect, proxy, error):
    bus = await connect(proxy.url)

    proxy.inject(f"-ERR '{error}'\r\n".encode())
    await eventually(lambda: bus.reconnects == 1)
    await bus.wait_connected(60)

    assert await job_ids(bus) == []


@pytest.mark.slow
async def test_late_answer_without_a_waiter_does_not_cost_the_connection(server, bus):
    heard = []

    async def take(message) -> None:
        heard.append(message.data)

    server.pause()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), bus._main.subscribe("too.late", take):
            pass
    server.resume()

    async with bus._main.subscribe("in.time", take):
        await bus._main.publish("in.time", b"hello")
        await eventually(lambda: heard)
    assert (heard, bus._main.reconnects) == ([b"hello"], 0)


@pytest.mark.slow
async def test_a_subscription_is_with_the_server_before_the_round_trip_that_proves_it(connect, proxy):
    async def take(_message) -> None:
        raise AssertionError("the handler is never called")

    bus = await connect(proxy.url)
    proxy.sent = b""

    async with bus._main.subscribe("somewhere", take):
        sent = proxy.sent

    assert b"SUB somewhere" in sent
    assert sent.index(b"SUB somewhere") < sent.rindex(b"PING")


async def test_bus_closes_in_the_middle_of_a_reconnect(server):
    async with Bus.connect(server.url, name="test") as bus:
        server.kill()
        await eventually(lambda: not bus.is_connected)


@pytest.mark.slow
async def test_tries_that_fail_in_the_login_leave_no_socket_open(server, connect, proxy):
    await connect(proxy.url)
    gc.disable()  # it would close them, and warn in the middle of another test
    try:
        server.kill()
        await eventually(lambda: proxy.refused >= 6, what="the proxy accepts and stays silent")

        assert len(sockets_to(proxy.url)) <= 2, "at most one try of each of the two connections"
    finally:
        gc.enable()


def sockets_to(url: str) -> list[object]:
    port = int(url.rpartition(":")[2])
    return [each for each in psutil.Process().net_connections("tcp") if each.raddr and each.raddr.port == port]


@asynccontextmanager
async def cancelled_soon():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            yield


@pytest.mark.slow
async def test_cancelled_wait_for_the_bus_is_cancelled(server, bus):
    server.kill()
    await eventually(lambda: not bus.is_connected)

    async with cancelled_soon():
        await bus.wait_connected(60)
