from itertools import count

import pytest

from forgesyte_chassis.web.http_protocol import MAX_HEAD_BYTES, MAX_HEAD_LINES, SMALL_CHUNKS
from forgesyte_chassis.web.read_turns import SHARE_S, ReadTurns
from tests.support import eventually

from .raw_http import GET, open_port

CHUNKED = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def head_of(size_bytes: int, lines: int = 20) -> bytes:
    """A request for /echo whose head has this many bytes and about so many lines."""
    each = size_bytes // lines
    names = b"".join(b"X-%04d: %s\r\n" % (line, b"x" * (each - 12)) for line in range(lines))
    return b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + names + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "not a valid HTTP/1.1 request", id="tls"),
        pytest.param(b"hello\r\n\r\n", 400, "not a valid HTTP/1.1 request", id="no request line"),
        pytest.param(b"GET /echo HTTP/1.1\r\n\r\n", 400, "Host", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host", id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nbad name: b\r\n\r\n", 400, "illegal", id="a header's name"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Content-Length", id="a length"),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400,
            "Content-Length", id="two lengths",
        ),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "chunked", id="an encoding"
        ),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            "not both", id="length and encoding",
        ),
        pytest.param(CHUNKED + b"not a size\r\n", 400, "not a valid HTTP/1.1 request", id="a chunk's size"),
    ],
)  # fmt: skip
async def test_malformed_http_is_answered_with_a_problem_and_the_connection_ends(sent, status, says):
    async with open_port() as port, port.client() as client:
        client.send(GET)
        assert (await client.answer()).status == 200
        client.send(sent)
        answer = await client.answer()

        assert (answer.status, answer.problem["code"]) == (status, "REQUEST_INVALID")
        assert says in answer.problem["detail"]
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_a_head_has_at_most_64_kib():
    async with open_port() as port:
        async with port.client() as client:
            client.send(head_of(MAX_HEAD_BYTES - 1000))
            assert (await client.answer()).status == 200
        async with port.client() as client:
            client.send(head_of(MAX_HEAD_BYTES + 1000))
            answer = await client.answer()

    assert (answer.status, answer.problem["code"]) == (431, "REQUEST_INVALID")
    assert "65536 bytes" in answer.problem["detail"]


async def test_a_head_has_at_most_256_lines():
    async with open_port() as port:
        async with port.client() as client:
            client.send(head_of(20_000, lines=MAX_HEAD_LINES - 5))
            assert (await client.answer()).status == 200
        async with port.client() as client:
            client.send(head_of(20_000, lines=MAX_HEAD_LINES + 5))
            answer = await client.answer()

    assert answer.status == 431
    assert "256 lines" in answer.problem["detail"]


async def test_the_lines_of_a_body_do_not_count_as_its_heads():
    body = b"\n" * 100_000
    async with open_port() as port, port.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        assert (await client.answer()).body == body


async def test_requests_sent_without_waiting_are_answered_in_order_and_garbage_behind_them_after_all():
    bodies = [b"%d" % number for number in range(50)]
    posts = [
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies
    ]
    async with open_port() as port, port.client() as client:
        client.send(b"".join(posts) + b"garbage\r\n\r\n")

        assert [(await client.answer()).body for _ in bodies] == bodies
        assert (await client.answer()).problem["status"] == 400
        assert await client.rest() == b""


async def test_a_body_that_breaks_after_the_answer_began_cuts_the_answer():
    async with open_port() as port, port.client() as client:
        client.send(CHUNKED.replace(b"/echo", b"/begin").replace(b"POST", b"GET"))
        await client.reader.readuntil(b"begun")
        client.send(b"not a size\r\n")

        assert b"HTTP/1.1" not in await client.rest()


def hasty_turns() -> ReadTurns:
    """Turns in which each look at the clock uses up a third of a share."""
    ticks = count()
    return ReadTurns(lambda: next(ticks) * SHARE_S / 3)


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_a_body_that_is_parsed_in_many_turns_arrives_whole(size):
    body = bytes(range(256)) * 800
    pieces = [body[start : start + size] for start in range(0, min(len(body), 2000 * size), size)]
    async with open_port(turns=hasty_turns()) as port, port.client() as client:
        client.send(CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n" + GET)

        assert (await client.answer()).body == b"".join(pieces)
        assert (await client.answer()).status == 200


async def test_others_are_answered_while_one_sends_10000_tiny_chunks():
    async with open_port() as port, port.client() as flood, port.client() as other:
        flood.send(CHUNKED + b"1\r\nx\r\n" * SMALL_CHUNKS)
        for _ in range(20):
            other.send(GET)
            assert (await other.answer()).status == 200
        flood.send(b"0\r\n\r\n")

        assert (await flood.answer()).body == b"x" * SMALL_CHUNKS


async def test_after_10000_chunks_they_have_256_bytes_on_average():
    async with open_port() as port:
        async with port.client() as client:
            client.send(CHUNKED + b"1\r\nx\r\n" * (SMALL_CHUNKS + 1))
            answer = await client.answer()
            assert await client.rest() == b""
        async with port.client() as client:
            large = b"%x\r\n%s\r\n" % (300 * SMALL_CHUNKS, b"x" * 300 * SMALL_CHUNKS)
            client.send(CHUNKED + large + b"1\r\nx\r\n" * (SMALL_CHUNKS + 1) + b"0\r\n\r\n")
            assert (await client.answer()).status == 200

    assert (answer.status, answer.problem["code"]) == (400, "REQUEST_INVALID")
    assert "10000 chunks have less than 256 bytes" in answer.problem["detail"]


async def test_a_body_that_goes_wrong_after_its_request_was_answered_gets_no_second_answer():
    async with open_port() as port, port.client() as client:
        client.send(CHUNKED.replace(b"/echo", b"/nowhere"))
        assert (await client.answer()).status == 404
        client.send(b"not a size\r\n")

        assert await client.rest() == b""


async def test_a_connection_that_is_gone_is_forgotten():
    async with open_port() as port:
        async with port.client() as client:
            client.send(CHUNKED + b"1\r\nx\r\n" * 1000)
            await eventually(lambda: port.server.server_state.connections)
        await eventually(lambda: not port.server.server_state.connections)


async def test_a_request_to_upgrade_on_a_port_without_sockets_is_a_plain_request():
    async with open_port() as port, port.client() as client:
        client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))

        assert (await client.answer()).status == 200


async def test_a_question_for_health_is_known_by_its_beginning():
    class Noting(ReadTurns):
        def read(self, reader, *, is_first=False):
            noted.append(is_first)
            super().read(reader, is_first=is_first)

    noted = []
    asked = [b"GET /health", b"HEAD /v1/health", b"GET /healthy", b"POST /health", b"GET /echo"]
    async with open_port(turns=Noting()) as port:
        for begin in asked:
            async with port.client() as client:
                client.send(begin + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                await client.rest()

    assert noted == [True, True, False, False, False]
