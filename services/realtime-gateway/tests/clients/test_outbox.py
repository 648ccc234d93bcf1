"""The messages that wait for one client: their limits, their order, and which a newer one replaces."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from forgesyte_contracts.realtime import MessageType
from forgesyte_realtime_gateway.clients.outbox import Outbox, OutboxLimits
from forgesyte_realtime_gateway.messages.message import Message
from forgesyte_realtime_gateway.metrics import GatewayMetrics
from tests.support import HandClock, eventually


class Wire:
    """A connection whose socket is full or not, as the test decides."""

    def __init__(self, **limits) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.sent: list[str] = []
        self.overflows = self.losses = 0
        self.is_gone = False
        self.clock = HandClock()
        self.registry = CollectorRegistry()
        known = {"messages": 256, "size_bytes": 1_000_000, "stuck_s": 10.0, **limits}
        self.outbox = Outbox(
            self._send,
            lambda message: message.socket_event,
            limits=OutboxLimits(**known),
            clock=self.clock,
            metrics=GatewayMetrics(self.registry),
            on_overflow=self._overflow,
            on_lost=self._lose,
        )

    async def _send(self, event) -> None:
        await self.has_room.wait()
        if self.is_gone:
            raise ConnectionResetError
        self.sent.append(event["text"])

    def _overflow(self) -> None:
        self.overflows += 1
        self.outbox.close()

    def _lose(self) -> None:
        self.losses += 1

    def block(self) -> None:
        self.has_room.clear()
        self.outbox.put(a_warning("in the socket"))

    async def unblock(self) -> list[str]:
        """Let everything through and return what followed the message that blocked."""
        self.has_room.set()
        await eventually(lambda: self.outbox.is_free)
        return self.sent[1:]

    def count(self, name: str, **labels) -> float:
        return self.registry.get_sample_value(f"forgesyte_gateway_{name}", labels) or 0.0


def a_warning(text: str) -> Message:
    return Message(MessageType.WARNING, text.encode(), job_id="j")


def a_progress(text: str, job_id: str = "j") -> Message:
    return Message(MessageType.PROGRESS, text.encode(), job_id=job_id, must_arrive=False)


def an_ending(text: str, *, flushes: bool = False) -> Message:
    return Message(MessageType.PROGRESS, text.encode(), job_id="j", ends_job=True, flushes=flushes)


@pytest.fixture
async def wire():
    wire = Wire()
    yield wire
    wire.outbox.close()


async def test_while_the_socket_has_room_a_message_is_sent_before_put_returns(wire):
    wire.outbox.put(a_progress("1"))

    assert wire.sent == ["1"]
    assert wire.outbox.is_free


async def test_the_newest_progress_is_kept_and_what_must_arrive_goes_first_in_order(wire):
    wire.block()
    for text in ("p1", "p2", "p3"):
        wire.outbox.put(a_progress(text))
    wire.outbox.put(a_warning("w1"))
    wire.outbox.put(a_progress("other", "k"))
    wire.outbox.put(a_warning("w2"))

    assert wire.outbox.waiting == 4
    assert await wire.unblock() == ["w1", "w2", "p3", "other"]
    assert wire.count("events_coalesced_total") == 2


async def test_256_messages_that_must_arrive_are_kept_in_order_and_one_more_overflows(wire):
    texts = [str(number) for number in range(256)]
    wire.block()
    for text in texts:
        wire.outbox.put(a_warning(text))

    assert wire.overflows == 0
    assert await wire.unblock() == texts

    wire.block()
    for number in range(257):
        wire.outbox.put(a_warning(str(number)))
    assert wire.overflows == 1


async def test_1_mb_is_the_most_that_waits_and_previews_make_room_for_what_must_arrive(wire):
    wire.block()
    wire.outbox.put(a_progress("p" * 600_000))
    wire.outbox.put(a_progress("too much", "k" * 3))
    wire.outbox.put(a_progress("f" * 600_000, "k"))
    wire.outbox.put(a_warning("w" * 600_000))
    assert wire.overflows == 0
    assert wire.count("events_dropped_total", type="progress", reason="full") == 3

    wire.outbox.put(a_warning("w" * 600_000))
    assert wire.overflows == 1


async def test_an_ending_drops_what_waits_of_its_job_and_of_no_other(wire):
    wire.block()
    wire.outbox.put(a_progress("old"))
    wire.outbox.put(a_progress("other", "k"))
    wire.outbox.put(an_ending("end"))

    assert await wire.unblock() == ["end", "other"]


async def test_a_flat_ending_sends_the_last_progress_first(wire):
    wire.block()
    wire.outbox.put(a_progress("100 %"))
    wire.outbox.put(an_ending("end", flushes=True))

    assert await wire.unblock() == ["100 %", "end"]


async def test_a_newer_status_that_must_arrive_replaces_an_older_one_that_waits(wire):
    wire.block()
    wire.outbox.put(Message(MessageType.PLUGIN_STATUS, b"live", job_id="j", must_arrive=False))
    wire.outbox.put(Message(MessageType.PLUGIN_STATUS, b"changed", job_id="j"))

    assert await wire.unblock() == ["changed"]


async def test_a_client_is_stuck_when_one_message_waits_longer_than_10_s(wire):
    wire.block()
    wire.clock.passed_s = 10.0
    assert not wire.outbox.is_stuck(wire.clock.monotonic_s())
    wire.clock.passed_s = 10.1
    assert wire.outbox.is_stuck(wire.clock.monotonic_s())

    await wire.unblock()
    assert not wire.outbox.is_stuck(wire.clock.monotonic_s())


async def test_a_lost_connection_is_reported_once_and_nothing_more_is_sent(wire):
    wire.block()
    wire.is_gone = True
    wire.outbox.put(a_warning("late"))

    await wire.unblock()

    assert (wire.losses, wire.sent) == (1, [])


async def test_after_close_nothing_waits_and_nothing_is_sent(wire):
    wire.block()
    wire.outbox.put(a_warning("late"))
    wire.outbox.close()
    wire.outbox.put(a_warning("later"))

    wire.has_room.set()
    await eventually(lambda: wire.outbox.is_free)
    assert (wire.sent, wire.outbox.waiting) == ([], 0)
