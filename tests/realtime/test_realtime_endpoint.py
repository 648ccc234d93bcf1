"""/v1/realtime: the WebSocket, server-sent events and the description, against the real app over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from jsonschema import Draft202012Validator
from websockets.exceptions import ConnectionClosed, InvalidStatus

from forgesyte_chassis.web.keys import KeyRing, digest_of
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.realtime import PluginMetadata
from forgesyte_realtime_gateway.settings import GatewaySettings
from tests.support import eventually

RING = KeyRing.from_settings(
    GatewaySettings(api_keys=(f"viewer:stream:{digest_of('let-me-see')}", f"sender:analyze:{digest_of('let-me-send')}"))
)


async def closed(socket) -> int:
    """The code with which the server closed it."""
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code


async def say(socket, message) -> None:
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def test_the_websocket_is_accepted_by_the_real_app(served):
    async with served.watch("/v1/realtime") as socket:
        await say(socket, {"type": "ping"})

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


async def test_each_plugin_is_introduced_on_connect(served, bus, make):
    await bus.runners.beat(make.a_heartbeat("ocr", "motion"))
    await eventually(lambda: served.gateway.runners.living())

    async with (
        served.watch("/v1/realtime") as socket, served.watch("/v1/realtime?plugin=ocr") as one,
        served.watch("/v1/realtime?job_id=&plugin=&since=") as blank,
    ):  # fmt: skip
        heard = [await make.hear(each) for each in (socket, socket, one, blank, blank)]

    assert [message["type"] for message in heard] == ["metadata"] * 5
    assert [message["payload"]["plugin"] for message in heard] == ["motion", "ocr", "ocr", "motion", "ocr"]
    assert heard[0]["payload"]["metadata"]["version"] == "1.2.3"
    assert set(heard[0]["payload"]["metadata"]) == set(PluginMetadata.model_fields)


async def test_a_job_is_told_from_its_state_to_its_ending_in_the_promised_order(served, play, make):
    runner = await play()
    await runner.warn("the container announces 12 frames")
    async with served.realtime(runner.job_id) as socket:
        state = await make.hear_until(socket, lambda message: message["type"] == "progress")
        await runner.frame(1, 10)
        live = await make.hear(socket)
        await runner.warn("this frame is damaged", frame_index=3)
        warned = await make.hear(socket)
        await runner.fail("frame 7: expected numbers, found none")
        ended = await make.hear_until(socket, make.is_ending)

    assert [message["type"] for message in state] == ["plugin_status", "warning", "progress"]
    assert (live["payload"]["current_frame"], "seq" in live) == (1, False)
    assert (warned["payload"]["index"], warned["payload"]["frame_index"]) == (1, 3)
    assert [message["type"] for message in ended] == ["plugin_status", "error", "progress"]
    assert ended[1]["payload"]["details"] == {
        "error_code": "PLUGIN_ERROR", "message": "frame 7: expected numbers, found none", "frame_index": 7,
    }  # fmt: skip
    assert (ended[-1]["payload"]["status"], ended[-1]["seq"]) == ("failed", runner.revision)


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_a_finished_job_gets_its_ending_at_once(served, play, make, ending):
    runner = await play()
    await {"completed": lambda: runner.complete(3), "failed": runner.fail, "cancelled": runner.cancel}[ending]()

    async with served.realtime(runner.job_id) as socket:
        heard = await make.hear_until(socket, make.is_ending)

    assert heard[-1]["payload"]["status"] == ending
    assert ("error" in [message["type"] for message in heard]) == (ending != "completed")


async def test_since_the_present_revision_repeats_nothing_and_any_other_repeats_all(served, play, make):
    runner = await play()
    await runner.warn("odd")
    async with served.realtime(runner.job_id, since=runner.revision) as socket:
        await make.joined(served, runner.job_id)
        await runner.frame(1, 10)
        assert make.is_frame(1)(await make.hear(socket))

    for since in (runner.revision - 1, runner.revision + 1, "none", ""):
        async with served.realtime(runner.job_id, since=since) as socket:
            heard = await make.hear_until(socket, lambda message: message["type"] == "progress")
        assert [message["type"] for message in heard] == ["plugin_status", "warning", "progress"]
        assert heard[-1]["seq"] == runner.revision


async def test_only_the_last_message_of_a_revision_carries_it(served, play, make):
    """A client that was cut off between an error and its ending must not seem to have the ending."""
    runner = await play()
    await runner.fail()

    async with served.realtime(runner.job_id) as socket:
        heard = await make.hear_until(socket, make.is_ending)

    assert ["seq" in message for message in heard] == [False, False, True]


async def test_subscribe_and_unsubscribe(served, play, make):
    runner = await play()
    async with served.watch("/v1/realtime") as socket:
        await say(socket, {"type": "subscribe", "payload": {"job_id": runner.job_id}})
        assert (await make.hear(socket))["payload"]["job_id"] == runner.job_id
        await make.hear(socket)
        await say(socket, {"type": "unsubscribe", "payload": {"job_id": runner.job_id}})
        await eventually(lambda: len(served.gateway.watches) == 0)
        await runner.complete(1)
        await say(socket, {"type": "ping"})

        assert (await make.hear(socket))["type"] == "pong"


async def test_without_a_job_nobody_gets_everybodys(served, play, make):
    runner = await play()
    async with served.watch("/v1/realtime") as socket, served.realtime(runner.job_id) as watcher:
        await runner.complete(1)
        await make.hear_until(watcher, make.is_ending)
        await say(socket, {"type": "ping"})

        assert (await make.hear(socket))["type"] == "pong"


@pytest.mark.parametrize(
    ("said", "code"),
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
async def test_what_can_not_be_read_gets_an_error_and_the_socket_stays_open(served, make, said, code):
    async with served.watch("/v1/realtime") as socket:
        await say(socket, said)
        answer = await make.hear(socket)
        await say(socket, {"type": "ping"})

        assert (answer["type"], answer["payload"]["details"]["error_code"]) == ("error", code)
        assert (await make.hear(socket))["type"] == "pong"


async def test_a_client_message_above_1_mib_is_not_taken_in(served):
    async with served.watch("/v1/realtime") as socket:
        await socket.send("x" * 2_000_000)

        assert await closed(socket) == 1009


async def test_an_unknown_job_is_said_to_be_unknown(served, make):
    async with served.realtime(new_job_id()) as socket:
        answer = await make.hear(socket)

    assert answer["payload"]["details"]["error_code"] == "JOB_UNKNOWN"


async def test_a_job_id_that_is_none_is_refused_in_words(served, make):
    async with served.realtime("forgesyte.live.*") as socket:
        answer = await make.hear(socket)

    assert answer["payload"]["details"]["error_code"] == "REQUEST_INVALID"


async def test_a_session_holds_five_connections_and_the_sixth_is_closed_4001(served):
    path = "/v1/realtime?session_id=tab-1"
    async with (
        served.watch(path), served.watch(path), served.watch(path), served.watch(path), served.watch(path) as fifth,
        served.watch(path) as sixth, served.watch("/v1/realtime?session_id=tab-2") as other,
    ):  # fmt: skip
        assert await closed(sixth) == 4001
        await say(other, {"type": "ping"})
        assert await other.recv()
        await fifth.close()
        await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 5)
        async with served.watch(path) as again:
            await say(again, {"type": "ping"})
            assert await again.recv()


@pytest.mark.parametrize("session_id", ["", "a%20b", "x" * 65, "a.b"])
async def test_a_session_id_that_can_be_none_is_closed_4000(served, session_id):
    async with served.watch(f"/v1/realtime?session_id={session_id}") as socket:
        assert await closed(socket) == 4000


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
async def test_a_key_lets_in_wherever_it_is_carried(server, make, path, options):
    async with make.serving(server, keys=RING) as served, served.watch(f"/v1/realtime{path}", **options) as socket:
        await say(socket, {"type": "ping"})

        assert (await make.hear(socket))["type"] == "pong"
        assert socket.subprotocol == (options["subprotocols"][0] if "subprotocols" in options else None)


@pytest.mark.parametrize("key", ["", "wrong", "let-me-send"])
@pytest.mark.parametrize("path", ["/v1/realtime", "/ws/jobs/x", "/v1/ws/jobs/x"])
async def test_no_key_a_wrong_key_or_one_without_the_scope_is_closed_1008(server, make, path, key):
    async with make.serving(server, keys=RING) as served, served.watch(f"{path}?api_key={key}") as socket:
        assert await closed(socket) == 1008


async def test_a_get_without_a_key_is_a_401(server, make):
    async with make.serving(server, keys=RING) as served, httpx.AsyncClient(base_url=served.http) as http:
        answers = [
            await http.get("/v1/realtime", headers={"X-API-Key": key}) for key in ("", "let-me-send", "let-me-see")
        ]

    assert [answer.status_code for answer in answers] == [401, 403, 200]
    assert answers[0].headers["content-type"] == "application/problem+json"


async def test_a_ping_comes_every_30_s_and_60_s_of_silence_close_4008(server, make):
    clock = make.HandClock()
    async with (
        make.serving(server, clock=clock.monotonic_s) as served,
        served.watch("/v1/realtime") as silent,
        served.watch("/v1/realtime") as speaking,
    ):
        await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 2)
        clock.passed_s += 29.9
        served.gateway.heartbeat.look()
        await say(speaking, {"type": "ping"})
        assert (await make.hear(speaking))["type"] == "pong"

        clock.passed_s += 0.1
        served.gateway.heartbeat.look()
        assert [(await make.hear(socket))["type"] for socket in (silent, speaking)] == ["ping", "ping"]
        await say(speaking, {"type": "pong"})
        await say(speaking, {"type": "ping"})
        await make.hear(speaking)

        clock.passed_s += 29.9
        served.gateway.heartbeat.look()
        assert len(served.gateway.manager.get_active_connections()) == 2
        clock.passed_s += 0.1
        served.gateway.heartbeat.look()
        assert await closed(silent) == 4008
        assert await make.hear(speaking) | {"timestamp": ""} == {
            "type": "ping", "payload": {"interval_seconds": 30.0}, "timestamp": "",
        }  # fmt: skip


async def test_pings_come_by_themselves(server, make):
    async with make.serving(server, ping_every_s=0.05) as served, served.watch("/v1/realtime") as socket:
        assert [(await make.hear(socket))["type"] for _ in range(3)] == ["ping"] * 3


async def test_the_service_stops_with_1000(server, make, play):
    runner = await play()
    async with make.serving(server) as served:
        sockets = [await served.realtime(runner.job_id), await served.flat(runner.job_id)]
        await make.joined(served, runner.job_id, 2)

    assert [await closed(socket) for socket in sockets] == [1000, 1000]


async def events_of(response) -> AsyncIterator[tuple[str | None, dict]]:
    """The events of a stream as they come: id and data; comments are passed over."""
    fields = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "data" in fields:
            yield fields.get("id"), json.loads(fields["data"])
            fields = {}


async def next_of(events, count: int) -> list[tuple[str | None, dict]]:
    """The next so many events."""
    async with asyncio.timeout(60):
        return [await anext(events) for _ in range(count)]


async def test_server_sent_events_carry_the_same_messages_and_the_revision_as_id(served, play, make):
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
        await make.joined(served, runner.job_id)
        events = events_of(response)
        await runner.frame(1, 2)
        rest = await next_of(events, 1)
        await runner.complete(2)
        rest += await next_of(events, 2)

    assert [make.checked(message)["type"] for _, message in state] == ["plugin_status", "warning", "progress"]
    assert [event_id for event_id, _ in state] == [None, None, str(revision)]
    assert [make.checked(message)["type"] for _, message in rest] == ["progress", "plugin_status", "progress"]
    assert rest[-1][0] == str(runner.revision)
    await eventually(lambda: served.count("connections", transport="sse") == 0)


async def test_a_stream_ends_with_the_service(server, make):
    async with httpx.AsyncClient(timeout=60) as http:
        async with make.serving(server) as served:
            request = http.build_request("GET", f"{served.http}/v1/realtime", headers={"Accept": "text/event-stream"})
            response = await http.send(request, stream=True)
        body = await response.aread()

    assert body.startswith(b"retry:")


@pytest.mark.parametrize("query", [{"job_id": "none"}, {"session_id": "a b"}])
async def test_a_stream_with_a_bad_parameter_is_a_422(served, query):
    async with httpx.AsyncClient(base_url=served.http) as http:
        answer = await http.get("/v1/realtime", params=query, headers={"Accept": "text/event-stream"})

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
