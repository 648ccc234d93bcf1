"""Pings clients, and closes those that do not read or have gone silent.

One periodic check of all connections replaces timers per connection: its cost is too small to measure, and a test can
turn the clock and call check().
"""

import asyncio

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.realtime import CloseCode, MessageType, PingPayload, envelope
from forgesyte_realtime_gateway.messages.message import Message
from forgesyte_realtime_gateway.metric_labels import Reason, Transport
from forgesyte_realtime_gateway.settings import GatewaySettings

from .client import Client
from .connections import ConnectionManager

_CHECKS_PER_PERIOD = 10
_LONGEST_PAUSE_S = 1.0


class Pings:
    """Watches over all connections."""

    def __init__(self, manager: ConnectionManager, settings: GatewaySettings, clock: Clock) -> None:
        self._manager = manager
        self._settings = settings
        self._clock = clock
        shortest = min(settings.ping_every_s, settings.silence_s, settings.stuck_s)
        self._pause_s = min(_LONGEST_PAUSE_S, shortest / _CHECKS_PER_PERIOD)

    async def run(self) -> None:
        """Check again and again until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s)
            self.check()

    def check(self) -> None:
        """Close clients that are stuck or silent, and ping the others when a ping is due."""
        now_s = self._clock.monotonic_s()
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
        # Clients of the flat socket are never asked for an answer, and those of a stream cannot give one.
        return client.facts.transport is Transport.SOCKET and now_s - client.heard_s >= self._settings.silence_s

    def _is_ping_due(self, client: Client, now_s: float) -> bool:
        is_asked = client.facts.transport is not Transport.JOB_SOCKET
        return is_asked and now_s - client.pinged_s >= self._settings.ping_every_s

    def _ping(self, now_s: float) -> Message:
        body = envelope(PingPayload(interval_seconds=self._settings.ping_every_s))
        return Message(MessageType.PING, body, must_arrive=False, made_s=now_s)
