"""One connection: its identity, the jobs it watches, and how it ends."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from forgesyte_chassis.allowance import Allowance
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.realtime import CloseCode
from forgesyte_realtime_gateway.messages.message import Dialect, Message
from forgesyte_realtime_gateway.metric_labels import Reason, Transport
from forgesyte_realtime_gateway.metrics import GatewayMetrics

from .outbox import Outbox, OutboxLimits, Send

HangUp = Callable[[CloseCode, str], None]
"""Ends the underlying connection; must return at once."""


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What is known of a connection from its start and never changes."""

    transport: Transport
    session_id: str | None = None
    key_name: str = ""


class Client:
    """A connection that was accepted.

    Attributes:
        id: random; identifies it in the ConnectionManager.
        jobs: the jobs it watches.
        joins: how often it may begin to watch another one.
        heard_s: when its client last sent something, monotonic seconds.
        pinged_s: when it was last pinged, monotonic seconds.
        reason: why it ended, as far as is known.
        ended: set once the gateway considers it over.
    """

    def __init__(
        self,
        facts: ClientFacts,
        send: Send,
        hang_up: HangUp,
        *,
        limits: OutboxLimits,
        joins: Allowance,
        clock: Clock,
        metrics: GatewayMetrics,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.facts = facts
        self.dialect = Dialect.FLAT if facts.transport is Transport.JOB_SOCKET else Dialect.ENVELOPE
        self.jobs: set[JobId] = set()
        self.joins = joins
        self.heard_s = self.pinged_s = clock.monotonic_s()
        self.reason = Reason.CLIENT
        self.ended = asyncio.Event()
        self._hang_up = hang_up
        is_stream = facts.transport is Transport.STREAM
        self.outbox = Outbox(
            send,
            (lambda message: message.stream_event) if is_stream else (lambda message: message.socket_event),
            limits=limits,
            clock=clock,
            metrics=metrics,
            on_overflow=lambda: self.close(CloseCode.TOO_SLOW, Reason.SLOW),
            on_lost=self._lost,
        )

    def put(self, message: Message) -> None:
        """Send a message now, or as soon as the client reads."""
        self.outbox.put(message)

    def close(self, code: CloseCode, reason: Reason) -> None:
        """End the connection; further calls change nothing."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        self.outbox.close()
        self._hang_up(code, reason.value)

    def _lost(self) -> None:
        self.ended.set()
        self.outbox.close()
