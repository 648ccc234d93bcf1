"""Pings, and the ends of connections whose client reads nothing or says nothing.

One look at all connections at a time instead of timers a connection: it costs nothing that can be measured, and a test
turns the clock and looks.
"""

import asyncio
from collections.abc import Callable

from forgesyte_contracts.realtime import CloseCode, MessageType, PingPayload, envelope
from forgesyte_realtime_gateway.messages.message import Message
from forgesyte_realtime_gateway.metric_labels import Reason, Transport
from forgesyte_realtime_gateway.settings import GatewaySettings

from .client import Client
from .connections import ConnectionManager

_LOOKS_A_PERIOD = 10
_LONGEST_PAUSE_S = 1.0


class Pings:
    """Looks after all connections."""

    def __init__(self, manager: ConnectionManager, settings: GatewaySettings, clock: Callable[[], float]) -> None:
        self._manager = manager
        self._settings = settings
        self._clock = clock
        shortest = min(settings.ping_every_s, settings.silence_s, settings.stuck_s)
        self._pause_s = min(_LONGEST_PAUSE_S, shortest / _LOOKS_A_PERIOD)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s)
            self.look()

    def look(self) -> None:
        """Close whom nobody reads or hears any more, and ping the others when it is time."""
        now_s = self._clock()
        ping: Message | None = None
        for client in self._manager.clients():
            if client.outbox.is_stuck(now_s):
                client.close(CloseCode.TOO_SLOW, Reason.SLOW)
            elif self._is_silent(client, now_s):
                client.close(CloseCode.TOO_SLOW, Reason.SILENT)
            elif self._is_ping_due(client, now_s):
                client.pinged_s = now_s
                ping = ping or self._ping(now_s)
                self._manager.send_to(client.id, ping)

    def _is_silent(self, client: Client, now_s: float) -> bool:
        # The flat socket's clients were never asked to answer anything, and a stream's can not.
        return client.facts.transport is Transport.SOCKET and now_s - client.heard_s >= self._settings.silence_s

    def _is_ping_due(self, client: Client, now_s: float) -> bool:
        is_asked = client.facts.transport is not Transport.JOB_SOCKET
        return is_asked and now_s - client.pinged_s >= self._settings.ping_every_s

    def _ping(self, now_s: float) -> Message:
        body = envelope(PingPayload(interval_seconds=self._settings.ping_every_s))
        return Message(MessageType.PING, body, must_arrive=False, made_s=now_s)
