"""/v1/realtime: the WebSocket, server-sent events and the description, against the real app over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from websockets.exceptions import ConnectionClosed, InvalidStatus

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.realtime import PluginMetadata
from forgesyte_realtime_gateway.settings import GatewaySettings
from tests.support import HandClock, digest_of, eventually
from tests.support.gateway import IN_MODULE_LOOP, checked, hear, hear_until, is_ending, is_frame, joined, serving
from tests.support.played_runner import RUNNER, a_heartbeat

RING = KeyRing.from_settings(
    GatewaySettings(api_keys=(f"viewer:stream:{digest_of('let-me-see')}", f"sender:analyze:{digest_of('let-me-send')}"))
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(shared_server):
    """A gateway that asks for the keys of RING."""
    async with serving(shared_server, keys=RING) as started:
        yield started


async def closed(socket) -> int:
    """Return the code with which the server closed the socket."""
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code


async def send(socket, message) -> None:
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def test_the_websocket_is_accepted_by_the_real_app(served):
    async with served.watch("/v1/realtime") as socket:
        await send(socket, {"type": "ping"})

        assert json.loads(await socket.recv())["type"] == "pong"
        assert socket.response.headers.get("Sec-WebSocket-Extensions") is None


async def test_a_websocket_anywhere_else_is_refused(served):
    with pytest.raises(InvalidStatus) as refusal:
        async with served.watch("/v1/nothing"):
            pass

    assert refusal.value.response.status_code == 403


async def test_a_plain_get_answers_200_with_the_protocol(served):
    async with httpx.AsyncClient(base_url=served.http) as http:
        answer = await http.get("/v1/realtime")

    assert answer.status_code == 200
    description = answer.json()
    assert set(description["server_messages"]) == {
        "metadata", "progress", "plugin_status", "frame", "partial_result", "warning", "error", "ping", "pong",
    }  # fmt: skip
    for schema in description["server_messages"].values():
        Draft202012Validator.check_schema(schema)
    assert set(description["close_codes"]) == {"1000", "1008", "4000", "4001", "4008"}


@pytest.fixture
async def beat(bus):
    """Let a runner with these plugins report; it says goodbye at the end of the test."""

    async def report(*names) -> None:
        await bus.runners.beat(a_heartbeat(*names))

    yield report
    await bus.runners.remove(RUNNER)


async def test_each_plugin_is_introduced_on_connect(served, beat):
    await beat("ocr", "motion")
    await eventually(lambda: served.gateway.runners.living())

    async with (
        served.watch("/v1/realtime") as socket, served.watch("/v1/realtime?plugin=ocr") as one,
        served.watch("/v1/realtime?job_id=&plugin=&since=") as blank,
    ):  # fmt: skip
        heard = [await hear(each) for each in (socket, socket, one, blank, blank)]

    assert [message["type"] for message in heard] == ["metadata"] * 5
    assert [message["payload"]["plugin"] for message in heard] == ["motion", "ocr", "ocr", "motion", "ocr"]
    assert heard[0]["payload"]["metadata"]["version"] == "1.2.3"
    assert set(heard[0]["payload"]["metadata"]) == set(PluginMetadata.model_fields)


async def test_a_jobs_messages_go_from_its_state_to_its_ending_in_the_promised_order(served, play):
    runner = await play()
    await runner.warn("the container announces 12 frames")
    async with served.realtime(runner.job_id) as socket:
        state = await hear_until(socket, lambda message: message["type"] == "progress")
        await runner.frame(1, 10)
        live = await hear(socket)
        await runner.warn("this frame is damaged", frame_index=3)
        warned = await hear(socket)
        await runner.fail("frame 7: expected numbers, found none")
        ended = await hear_until(socket, is_ending)

    assert [message["type"] for message in state] == ["plugin_status", "warning", "progress"]
    assert (live["payload"]["current_frame"], "seq" in live) == (1, False)
    assert (warned["payload"]["index"], warned["payload"]["frame_index"]) == (1, 3)
    assert [message["type"] for message in ended] == ["plugin_status", "error", "progress"]
    assert ended[1]["payload"]["details"] == {
        "error_code": "PLUGIN_ERROR", "message": "frame 7: expected numbers, found none", "frame_index": 7,
    }  # fmt: skip
    assert (ended[-1]["payload"]["status"], ended[-1]["seq"]) == ("failed", runner.revision)


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_a_finished_job_gets_its_ending_at_once(served, play, ending):
    runner = await play()
    await {"completed": lambda: runner.complete(3), "failed": runner.fail, "cancelled": runner.cancel}[ending]()

    async with served.realtime(runner.job_id) as socket:
        heard = await hear_until(socket, is_ending)

    assert heard[-1]["payload"]["status"] == ending
    assert ("error" in [message["type"] for message in heard]) == (ending != "completed")


async def test_since_the_present_revision_repeats_nothing_and_any_other_repeats_all(served, play):
    runner = await play()
    await runner.warn("odd")
    async with served.realtime(runner.job_id, since=runner.revision) as socket:
        await joined(served, runner.job_id)
        await runner.frame(1, 10)
        assert is_frame(1)(await hear(socket))

    for since in (runner.revision - 1, runner.revision + 1, "none", ""):
        async with served.realtime(runner.job_id, since=since) as socket:
            heard = await hear_until(socket, lambda message: message["type"] == "progress")
        assert [message["type"] for message in heard] == ["plugin_status", "warning", "progress"]
        assert heard[-1]["seq"] == runner.revision


async def test_only_the_last_message_of_a_revision_carries_it(served, play):
    """A client cut off between an error and its ending must not appear to have the ending."""
    runner = await play()
    await runner.fail()

    async with served.realtime(runner.job_id) as socket:
        heard = await hear_until(socket, is_ending)

    assert ["seq" in message for message in heard] == [False, False, True]


async def test_subscribe_and_unsubscribe(served, play):
    runner = await play()
    async with served.watch("/v1/realtime") as socket:
        await send(socket, {"type": "subscribe", "payload": {"job_id": runner.job_id}})
        assert (await hear(socket))["payload"]["job_id"] == runner.job_id
        await hear(socket)
        await send(socket, {"type": "unsubscribe", "payload": {"job_id": runner.job_id}})
        await eventually(lambda: len(served.gateway.watches) == 0)
        await runner.complete(1)
        await send(socket, {"type": "ping"})

        assert (await hear(socket))["type"] == "pong"


async def test_without_a_job_a_client_gets_no_jobs_messages(served, play):
    runner = await play()
    async with served.watch("/v1/realtime") as socket, served.realtime(runner.job_id) as watcher:
        await runner.complete(1)
        await hear_until(watcher, is_ending)
        await send(socket, {"type": "ping"})

        assert (await hear(socket))["type"] == "pong"


@IN_MODULE_LOOP
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param("{not json", "MSG_INVALID_JSON", id="no json"),
        pytest.param(b"\xff\xfe", "MSG_INVALID_JSON", id="binary noise"),
        pytest.param("", "MSG_INVALID_JSON", id="empty"),
        pytest.param("x" * 1_000_000, "MSG_INVALID_JSON", id="1 MB of text"),
        pytest.param("[" * 60_000, "MSG_INVALID_JSON", id="deep nesting"),
        pytest.param("[1]", "MSG_MISSING_FIELD", id="no object"),
        pytest.param('{"payload": {}}', "MSG_MISSING_FIELD", id="no type"),
        pytest.param('{"type": "subscribe"}', "MSG_MISSING_FIELD", id="no job"),
        pytest.param('{"type": "subscribe", "payload": {"job_id": "a.*.>"}}', "REQUEST_INVALID", id="no job id"),
        pytest.param('{"type": "metadata"}', "REQUEST_INVALID", id="not for clients"),
    ],
)
async def test_a_message_that_cannot_be_read_gets_an_error_and_the_socket_stays_open(shared_gateway, sent, code):
    async with shared_gateway.watch("/v1/realtime") as socket:
        await send(socket, sent)
        answer = await hear(socket)
        await send(socket, {"type": "ping"})

        assert (answer["type"], answer["payload"]["details"]["error_code"]) == ("error", code)
        assert (await hear(socket))["type"] == "pong"


async def test_a_client_message_above_1_mib_is_not_read(served):
    async with served.watch("/v1/realtime") as socket:
        await socket.send("x" * 2_000_000)

        assert await closed(socket) == 1009


async def test_an_unknown_job_is_reported_as_unknown(served):
    async with served.realtime(new_job_id()) as socket:
        answer = await hear(socket)

    assert answer["payload"]["details"]["error_code"] == "JOB_UNKNOWN"


async def test_a_malformed_job_id_is_refused_with_an_error_message(served):
    async with served.realtime("forgesyte.live.*") as socket:
        answer = await hear(socket)

    assert answer["payload"]["details"]["error_code"] == "REQUEST_INVALID"


async def test_a_session_holds_five_connections_and_the_sixth_is_closed_4001(served):
    path = "/v1/realtime?session_id=tab-1"
    async with (
        served.watch(path), served.watch(path), served.watch(path), served.watch(path), served.watch(path) as fifth,
        served.watch(path) as sixth, served.watch("/v1/realtime?session_id=tab-2") as other,
    ):  # fmt: skip
        assert await closed(sixth) == 4001
        await send(other, {"type": "ping"})
        assert await other.recv()
        await fifth.close()
        await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 5)
        async with served.watch(path) as again:
            await send(again, {"type": "ping"})
            assert await again.recv()


@IN_MODULE_LOOP
@pytest.mark.parametrize("session_id", ["", "a%20b", "x" * 65, "a.b"])
async def test_a_malformed_session_id_is_closed_4000(shared_gateway, session_id):
    async with shared_gateway.watch(f"/v1/realtime?session_id={session_id}") as socket:
        assert await closed(socket) == 4000


@IN_MODULE_LOOP
@pytest.mark.parametrize(
    ("path", "options"),
    [
        pytest.param("", {"additional_headers": {"X-API-Key": "let-me-see"}}, id="header"),
        pytest.param("", {"additional_headers": {"Authorization": "Bearer let-me-see"}}, id="bearer"),
        pytest.param("?api_key=let-me-see", {}, id="query"),
        pytest.param("", {"subprotocols": ["forgesyte.realtime", "forgesyte.key.let-me-see"]}, id="subprotocol"),
        pytest.param("", {"subprotocols": ["forgesyte.key.let-me-see"]}, id="subprotocol alone"),
    ],
)
async def test_a_key_is_accepted_wherever_it_is_carried(guarded, path, options):
    async with guarded.watch(f"/v1/realtime{path}", **options) as socket:
        await send(socket, {"type": "ping"})

        assert (await hear(socket))["type"] == "pong"
        assert socket.subprotocol == (options["subprotocols"][0] if "subprotocols" in options else None)


@IN_MODULE_LOOP
@pytest.mark.parametrize("key", ["", "wrong", "let-me-send"])
@pytest.mark.parametrize("path", ["/v1/realtime", "/ws/jobs/x", "/v1/ws/jobs/x"])
async def test_no_key_a_wrong_key_or_one_without_the_scope_is_closed_1008(guarded, path, key):
    async with guarded.watch(f"{path}?api_key={key}") as socket:
        assert await closed(socket) == 1008


@IN_MODULE_LOOP
async def test_a_get_without_a_key_is_a_401(guarded):
    async with httpx.AsyncClient(base_url=guarded.http) as http:
        answers = [
            await http.get("/v1/realtime", headers={"X-API-Key": key}) for key in ("", "let-me-send", "let-me-see")
        ]

    assert [answer.status_code for answer in answers] == [401, 403, 200]
    assert answers[0].headers["content-type"] == "application/problem+json"


async def test_a_ping_comes_every_30_s_and_60_s_of_silence_close_4008(server):
    clock = HandClock()
    async with (
        serving(server, clock=clock) as served,
        served.watch("/v1/realtime") as silent,
        served.watch("/v1/realtime") as speaking,
    ):
        await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 2)
        clock.passed_s += 29.9
        served.gateway.pings.check()
        await send(speaking, {"type": "ping"})
        assert (await hear(speaking))["type"] == "pong"

        clock.passed_s += 0.1
        served.gateway.pings.check()
        assert [(await hear(socket))["type"] for socket in (silent, speaking)] == ["ping", "ping"]
        await send(speaking, {"type": "pong"})
        await send(speaking, {"type": "ping"})
        await hear(speaking)

        clock.passed_s += 29.9
        served.gateway.pings.check()
        assert len(served.gateway.manager.get_active_connections()) == 2
        clock.passed_s += 0.1
        served.gateway.pings.check()
        assert await closed(silent) == 4008
        assert await hear(speaking) | {"timestamp": ""} == {
            "type": "ping", "payload": {"interval_seconds": 30.0}, "timestamp": "",
        }  # fmt: skip


async def test_pings_come_by_themselves(server):
    async with serving(server, ping_every_s=0.05) as served, served.watch("/v1/realtime") as socket:
        assert [(await hear(socket))["type"] for _ in range(3)] == ["ping"] * 3


async def test_the_service_stops_with_1000(server, play):
    runner = await play()
    async with serving(server) as served:
        sockets = [await served.realtime(runner.job_id), await served.flat(runner.job_id)]
        await joined(served, runner.job_id, 2)

    assert [await closed(socket) for socket in sockets] == [1000, 1000]


async def events_of(response) -> AsyncIterator[tuple[str | None, dict]]:
    """Yield the events of a stream as id and data; comments are skipped."""
    fields = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "data" in fields:
            yield fields.get("id"), json.loads(fields["data"])
            fields = {}


async def next_of(events, count: int) -> list[tuple[str | None, dict]]:
    """Return the next events."""
    async with asyncio.timeout(60):
        return [await anext(events) for _ in range(count)]


async def test_server_sent_events_carry_the_same_messages_and_the_revision_as_id(served, play):
    runner = await play()
    await runner.warn("odd")
    accept = {"Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(base_url=served.http, timeout=60) as http,
        http.stream("GET", "/v1/realtime", params={"job_id": runner.job_id}, headers=accept) as response,
    ):
        state = await next_of(events_of(response), 3)
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    await eventually(lambda: served.count("connections", transport="sse") == 0)
    revision = runner.revision
    async with (
        httpx.AsyncClient(base_url=served.http, timeout=60) as http,
        http.stream(
            "GET", "/v1/realtime", params={"job_id": runner.job_id}, headers=accept | {"Last-Event-ID": str(revision)}
        ) as response,
    ):
        await joined(served, runner.job_id)
        events = events_of(response)
        await runner.frame(1, 2)
        rest = await next_of(events, 1)
        await runner.complete(2)
        rest += await next_of(events, 2)

    assert [checked(message)["type"] for _, message in state] == ["plugin_status", "warning", "progress"]
    assert [event_id for event_id, _ in state] == [None, None, str(revision)]
    assert [checked(message)["type"] for _, message in rest] == ["progress", "plugin_status", "progress"]
    assert rest[-1][0] == str(runner.revision)
    await eventually(lambda: served.count("connections", transport="sse") == 0)


async def test_a_stream_ends_with_the_service(server):
    async with httpx.AsyncClient(timeout=60) as http:
        async with serving(server) as served:
            request = http.build_request("GET", f"{served.http}/v1/realtime", headers={"Accept": "text/event-stream"})
            response = await http.send(request, stream=True)
        body = await response.aread()

    assert body.startswith(b"retry:")


@IN_MODULE_LOOP
@pytest.mark.parametrize("query", [{"job_id": "none"}, {"session_id": "a b"}])
async def test_a_stream_with_a_bad_parameter_is_a_422(shared_gateway, query):
    async with httpx.AsyncClient(base_url=shared_gateway.http) as http:
        answer = await http.get("/v1/realtime", params=query, headers={"Accept": "text/event-stream"})

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")


@IN_MODULE_LOOP
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
@pytest.mark.parametrize("query", [{"jobid": "x"}, {"since": ["1", "2"]}, {"job_id": "none"}], ids=str)
async def test_a_get_with_a_parameter_it_does_not_know_or_cannot_read_is_a_422(shared_gateway, accept, query):
    async with httpx.AsyncClient(base_url=shared_gateway.http) as http:
        answer = await http.get("/v1/realtime", params=query, headers={"Accept": accept})

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")


@IN_MODULE_LOOP
@pytest.mark.parametrize("path", ["/v1/realtime", "/ws/jobs/x", "/v1/ws/jobs/x"])
async def test_a_gateway_alone_refuses_the_sockets_of_another_site_and_logs_no_error(shared_gateway, path, caplog):
    with pytest.raises(InvalidStatus) as refusal:
        async with shared_gateway.watch(path, origin="http://evil.example"):
            pass
    async with shared_gateway.watch(path, origin=shared_gateway.http) as own:
        await send(own, {"type": "ping"})

        assert json.loads(await own.recv())["type"] == "pong"

    assert refusal.value.response.status_code == 403
    assert json.loads(refusal.value.response.body)["field"] == "Origin"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
