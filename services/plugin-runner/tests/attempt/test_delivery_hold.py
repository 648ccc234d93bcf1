"""When a hold on a work message is extended, and when nothing more is sent for it. In virtual time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps

import pytest

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_chassis.clock import SystemClock
from forgesyte_plugin_runner.attempt.delivery_hold import DeliveryHold


class VirtualSelector(selectors.SelectSelector):
    """Lets the loop's clock jump to its next timer instead of waiting for it."""

    now_s = 0.0

    def select(self, timeout=None):
        self.now_s += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which a minute takes no time."""

    def __init__(self) -> None:
        self.virtual = VirtualSelector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now_s


def virtually(test: Callable[..., Coroutine]) -> Callable[..., None]:
    """Run an async test in virtual time."""

    @wraps(test)
    def run(**fixtures: object) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(**fixtures))

    return run


class FakeDelivery:
    """Notes what is sent for the message; there is no real server in virtual time."""

    def __init__(self) -> None:
        self.job_id = "job"
        self.said: list[str] = []
        self.is_unavailable = False

    async def in_progress(self) -> None:
        self._say("in_progress")

    async def ack(self) -> None:
        self._say("ack")

    async def nak(self) -> None:
        self._say("nak")

    def nak_later(self, delay_s: float) -> None:
        self.said.append(f"nak later {delay_s:g}")

    def fence(self) -> None:
        self.said.append("fenced")

    def _say(self, word: str) -> None:
        if self.is_unavailable:
            raise BusUnavailable("unavailable")
        self.said.append(word)


@pytest.fixture
def delivery() -> FakeDelivery:
    return FakeDelivery()


async def run_for(hold: DeliveryHold, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await hold.run()
    except TimeoutError:
        return


class LoopClock(SystemClock):
    """The virtual time of the running loop."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()


def a_hold(delivery: FakeDelivery) -> DeliveryHold:
    return DeliveryHold(delivery, LoopClock(), 10.0)


@virtually
async def test_it_is_extended_every_two_seconds_while_the_record_is_in_reach(delivery):
    await run_for(a_hold(delivery), 7)

    assert delivery.said == ["in_progress"] * 3


@virtually
async def test_it_is_let_go_when_the_record_was_out_of_reach_for_ack_wait(delivery):
    await run_for(a_hold(delivery), 60)

    assert delivery.said == ["in_progress"] * 4


@virtually
async def test_it_is_extended_again_once_the_record_is_back(delivery):
    hold = a_hold(delivery)
    await run_for(hold, 60)
    delivery.said.clear()

    hold.touch()
    await run_for(hold, 3)

    assert delivery.said == ["in_progress"]


@virtually
async def test_an_unavailable_bus_ends_nothing(delivery):
    delivery.is_unavailable = True
    hold = a_hold(delivery)

    await run_for(hold, 7)
    await hold.nak()

    assert delivery.said == []


@virtually
async def test_a_dropped_hold_sends_nothing_whatever_is_called(delivery):
    hold = a_hold(delivery)

    hold.drop()
    await run_for(hold, 7)
    await hold.ack()
    await hold.nak()

    assert delivery.said == ["fenced"]


async def test_a_message_is_settled_once_and_by_the_newest_handle(delivery):
    hold, newer = a_hold(delivery), FakeDelivery()

    hold.adopt(newer)
    await hold.ack()
    await hold.nak()

    assert (delivery.said, newer.said) == (["fenced"], ["ack"])


@virtually
async def test_nothing_is_given_back_once_the_record_was_out_of_reach_for_ack_wait(delivery):
    """By then the queue has handed the message to another runner."""
    hold = a_hold(delivery)
    await run_for(hold, 60)
    delivery.said.clear()

    await hold.nak()

    assert delivery.said == []
