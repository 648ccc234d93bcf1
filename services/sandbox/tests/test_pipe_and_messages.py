"""The parent's side of the pipe: lengths before bytes, types before trust."""

import asyncio
import socket

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import ProtocolError, decode, encode
from forgesyte_sandbox.shared.pipe import HalfMessage, frame_bytes, read_frame, receive_frame, send_frame

DEEP = b"[" * 200 + b"]" * 200
ROW_HEAD = b'{"frame_index":0,"time_us":0,"detections":0,"classes":{}}'
TIMED = b'{"frame_index":0,"time_us":%s,"detections":0,"classes":{}}\n{"frame_index":0}'
PREVIEW_HEAD = b'{"frame_index":0,"width":4,"height":2}'


def reader_of(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize(
    "message",
    [
        messages.Loaded(),
        messages.Started("h264", 640, 480, 29.97, 90, 110, None),
        messages.Row(7, b'{"frame_index":7,"detections":[]}', 3, {"car": 3}, -40_000),
        messages.Warning("odd", 4),
        messages.Timings({"detect": 1.5}, {"decode": 10.0}),
        messages.Preview(7, b"\xff\xd8\n\n\xff\xd9", 640, 480),
        messages.Progress(41),
        messages.Finished({"rows": 3}),
        messages.Failed(Code.PLUGIN_ERROR, "ValueError", "no", "trace", 3, oom=False, result=None),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_arrives_as_it_was_sent(message):
    assert decode(*encode(message)) == message


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(b"Z", b"{}", id="unknown kind"),
        pytest.param(b"B", b"{", id="no JSON"),
        pytest.param(b"B", b'{"codec": "h264"}', id="missing field"),
        pytest.param(b"B", b'{"codec": "h264", "width": -1, "height": 2}', id="negative size"),
        pytest.param(b"F", b'{"result": ' + DEEP + b"}", id="deep result"),
        pytest.param(b"R", ROW_HEAD, id="head without row"),
        pytest.param(b"R", ROW_HEAD + b"\n[1]", id="row is a list"),
        pytest.param(b"R", ROW_HEAD + b'\n{"frame_index":1}', id="other frame"),
        pytest.param(
            b"R", b'{"frame_index":0,"time_us":0,"detections":-1,"classes":{}}\n{"frame_index":0}', id="negative count"
        ),
        pytest.param(b"R", ROW_HEAD + b'\n{"frame_index":0\n}', id="two lines"),
        pytest.param(b"R", ROW_HEAD + b'\n{"frame_index":0,"x":NaN}', id="NaN"),
        pytest.param(
            b"R",
            ROW_HEAD + b'\n{"frame_index":0,"x":' + DEEP + b"}",
            id="deep row",
        ),
        pytest.param(b"R", b'{"frame_index":0,"detections":0,"classes":{}}\n{"frame_index":0}', id="no time"),
        pytest.param(b"R", TIMED % b"9007199254740992", id="time too late"),
        pytest.param(b"R", TIMED % b"-9007199254740992", id="time too early"),
        pytest.param(b"R", TIMED % b"0.5", id="half a microsecond"),
        pytest.param(b"R", TIMED % b"null", id="null as time"),
        pytest.param(b"P", PREVIEW_HEAD, id="preview without picture"),
        pytest.param(b"P", PREVIEW_HEAD + b"\n\x89PNG", id="preview that is no JPEG"),
        pytest.param(
            b"P", PREVIEW_HEAD + b"\n\xff\xd8" + bytes(messages.MAX_PREVIEW_BYTES - 1), id="preview that is too large"
        ),
        pytest.param(b"P", b'{"frame_index":0,"width":-1,"height":2}\n\xff\xd8', id="preview of no size"),
    ],
)
def test_what_is_no_message_is_refused(kind, body):
    with pytest.raises(ProtocolError):
        decode(kind, body)


def test_a_wide_row_is_not_taken_for_a_deep_one():
    data = b'{"frame_index":0,"x":[' + b",".join([b"[[1]]"] * 500) + b"]}"

    row = decode(b"R", ROW_HEAD + b"\n" + data)

    assert row.data == data


async def test_frames_are_read_one_by_one_until_the_clean_end():
    reader = reader_of(frame_bytes(b"R", b"abc") + frame_bytes(b"F", b""))

    assert await read_frame(reader, max_bytes=100) == (b"R", b"abc")
    assert await read_frame(reader, max_bytes=100) == (b"F", b"")
    assert await read_frame(reader, max_bytes=100) is None


@pytest.mark.parametrize("data", [b"\0\0", b"\0\0\0\x05Rab"], ids=["in the length", "in the body"])
async def test_an_end_in_the_middle_is_told_from_a_clean_one(data):
    with pytest.raises(HalfMessage):
        await read_frame(reader_of(data), max_bytes=100)


@pytest.mark.parametrize("length", [0, 101, 2**32 - 1])
async def test_a_length_out_of_bounds_is_refused_before_anything_is_read(length):
    with pytest.raises(ProtocolError, match="at most 100"):
        await read_frame(reader_of(length.to_bytes(4, "big")), max_bytes=100)


def test_the_child_reads_what_the_parent_sends():
    ours, its = socket.socketpair()
    with ours, its:
        send_frame(ours, b"S", b"{}")

        assert receive_frame(its, max_bytes=100) == (b"S", b"{}")


def test_the_child_notices_that_the_parent_is_gone():
    ours, its = socket.socketpair()
    ours.close()
    with its, pytest.raises(ProtocolError):
        receive_frame(its, max_bytes=100)
