"""Messages that go back to the queue later: kept by this process, and by no delay of the server."""

import asyncio

import pytest

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.bus.queue.kept_deliveries import KeptDeliveries
from forgesyte_contracts.ids import new_job_id
from tests.support import HandClock

from .test_work import DEVICE, PLUGIN, pulled


async def a_delivery(bus):
    await bus.work.publish(new_job_id(), PLUGIN, DEVICE)
    return await pulled(bus)


async def test_a_message_that_is_to_go_back_later_comes_again_when_its_time_has_come(bus):
    delivery = await a_delivery(bus)
    begun_s = asyncio.get_running_loop().time()

    delivery.nak_later(0.3)

    assert (await pulled(bus)).job_id == delivery.job_id
    assert asyncio.get_running_loop().time() - begun_s >= 0.3


async def test_the_server_is_never_asked_for_a_delay(bus, monkeypatch):
    said = []
    real = type(bus._main).publish

    async def publish(connection, subject, body=b"", **how):
        said.append(body)
        await real(connection, subject, body, **how)

    delivery = await a_delivery(bus)
    monkeypatch.setattr(type(bus._main), "publish", publish)
    delivery.nak_later(0.01)
    await pulled(bus)

    assert b"-NAK" in said
    assert not [body for body in said if body.startswith(b"-NAK ")]


async def test_all_kept_messages_go_back_at_once_when_a_runner_drains(bus):
    delivery = await a_delivery(bus)
    delivery.nak_later(3600)

    await bus.work.return_kept()

    assert (await pulled(bus)).job_id == delivery.job_id


async def test_what_is_kept_goes_back_when_the_connection_is_closed(server, bus):
    await bus.work.publish(job_id := new_job_id(), PLUGIN, DEVICE)
    async with Bus.connect(server.url, name="another") as another:
        (await pulled(another)).nak_later(3600)

    assert (await pulled(bus)).job_id == job_id


class Played:
    """A message in virtual time, and what was sent for it."""

    def __init__(self, *, is_gone=False):
        self.said = []
        self.is_gone = is_gone

    async def in_progress(self):
        self._say("in_progress")

    async def nak(self):
        self._say("nak")

    def _say(self, word):
        if self.is_gone:
            raise BusUnavailable("unavailable")
        self.said.append(word)


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_kept_message_is_held_every_two_seconds_and_forgotten_when_the_bus_is_gone(is_gone, monkeypatch):
    kept, message = KeptDeliveries(), Played(is_gone=is_gone)
    hand = HandClock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", hand.monotonic_s)

    kept.keep(message, 5)
    for step_s in (1, 1, 2, 1):
        hand.passed_s += step_s
        await kept._look()

    assert message.said == ([] if is_gone else ["in_progress", "in_progress", "nak"])
    assert kept._kept == []
