"""One watched job: its last known state, and which messages its clients get.

Messages that must arrive are made from the record. A live message is forwarded when it is newer than the record and
than every live message before it, and never after the ending. A client that joins gets the record's state first, then
the live messages that are newer.
"""

from forgesyte_chassis.bus import LiveMessage
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_contracts.realtime import (
    NO_ORDER,
    LiveOrder,
    MessageType,
    current_state,
    news_between,
    parse_order,
    progress_of,
)
from forgesyte_realtime_gateway.clients.client import Client
from forgesyte_realtime_gateway.clients.connections import ConnectionManager
from forgesyte_realtime_gateway.messages.job_messages import JobMessages
from forgesyte_realtime_gateway.messages.message import COALESCED, Dialect, Message, Room, error_message
from forgesyte_realtime_gateway.metric_labels import DropReason
from forgesyte_realtime_gateway.metrics import GatewayMetrics


class JobWatch:
    """A job that at least one client watches.

    Attributes:
        record: the record as last read; None until then.
        revision: the record's revision; 0 until then.
    """

    def __init__(self, job_id: JobId, manager: ConnectionManager, metrics: GatewayMetrics, clock: Clock) -> None:
        self.job_id = job_id
        self.record: JobRecord | None = None
        self.revision = 0
        self._manager = manager
        self._metrics = metrics
        self._clock = clock
        self._messages = JobMessages(job_id, clock)
        self._envelopes = Room(job_id, Dialect.ENVELOPE)
        self._flats = Room(job_id, Dialect.FLAT)
        self._waiting: dict[Client, int | None] = {}
        self._shown = NO_ORDER
        self._latest: dict[MessageType, tuple[LiveOrder, Message]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether its last client has left."""
        has_members = self._manager.has_members(self._envelopes) or self._manager.has_members(self._flats)
        return not self._waiting and not has_members

    @property
    def has_ended(self) -> bool:
        """Whether the job has ended, so that nothing more will be sent about it."""
        return self.record is not None and self.record.is_terminal

    @property
    def is_owed(self) -> bool:
        """Whether a client waits for a state that could not be read yet."""
        return bool(self._waiting)

    def expect(self, client: Client, since: int | None) -> None:
        """Note that a client joins once the record is read; `since` is the last revision it has."""
        self._waiting[client] = since

    def drop(self, client: Client) -> None:
        """Forget a client."""
        self._waiting.pop(client, None)
        self._manager.leave(client, Room(self.job_id, client.dialect))

    def take_record(self, record: JobRecord | None, revision: int) -> None:
        """Take the record as read or reported, and send what is new to the clients that have joined; see admit().

        Args:
            record: None when the bus holds none.
            revision: the record's revision; one lower than the known revision is ignored.
        """
        if record is not None and revision > self.revision:
            before, self.record, self.revision = self.record, record, revision
            self._announce(before, record)

    def reset(self) -> None:
        """Forget the known state: the bus lost data, so earlier revisions and orders mean nothing any more."""
        if not self.has_ended:
            self.record, self.revision, self._shown = None, 0, NO_ORDER
            self._latest.clear()

    def vanish(self) -> None:
        """Tell the clients that the job is gone, unless it ended: then they know everything already."""
        if self.record is not None and not self.has_ended:
            self.reset()
            self._manager.broadcast(self._unknown(), self._envelopes)

    def admit(self) -> None:
        """Let the waiting clients join with the state known now."""
        waiting, self._waiting = self._waiting, {}
        for client, since in waiting.items():
            self._welcome(client, since)

    def take_live(self, live: LiveMessage) -> None:
        """Take a live message: forward it, keep it until the record is read, or drop it."""
        order = parse_order(live.order)
        reason = self._why_not(live.kind, order)
        if reason is not None:
            kind = live.kind if live.kind in MessageType else "other"
            self._metrics.dropped.labels(kind, reason).inc()
            return
        kind = MessageType(live.kind)
        message = self._messages.live(kind, live.body)
        self._shown = order
        self._latest[kind] = (order, message)
        if self.record is None:
            return  # no client joins before the record is read; each gets the newest message of each type then
        self._manager.broadcast(message, self._envelopes)
        if kind is MessageType.PROGRESS and self._manager.has_members(self._flats):
            for flat in self._messages.flat_live(live.body):
                self._manager.broadcast(flat, self._flats)

    def _why_not(self, kind: str, order: LiveOrder) -> DropReason | None:
        if self.has_ended:
            return DropReason.ENDED
        if kind not in COALESCED:
            return DropReason.RECORD  # what must arrive is made from the record, and must arrive only once
        return None if order > self._shown else DropReason.ORDER

    def _announce(self, before: JobRecord | None, now: JobRecord) -> None:
        """Send the clients that have joined what is new between two records."""
        news = current_state(now) if before is None else news_between(before, now)
        progress = progress_of(now)
        if before is not None and progress is not None and self._is_progress_news(before, now):
            news.append(progress)
        for message in self._messages.envelopes(news, self.revision):
            self._manager.broadcast(message, self._envelopes)
        if self._manager.has_members(self._flats):
            for message in self._messages.flat_news(before, now, has_progress=progress in news):
                self._manager.broadcast(message, self._flats)
        self._shown = max(self._shown, parse_order(now.order))
        if now.is_terminal:
            self._latest.clear()

    def _is_progress_news(self, before: JobRecord, now: JobRecord) -> bool:
        """Whether the record of a running job has newer progress than the live messages had."""
        order = parse_order(now.order)
        if now.is_terminal or order < self._shown or progress_of(before) == progress_of(now):
            return False
        was_sent = MessageType.PROGRESS in self._latest and order == self._shown
        return not was_sent or before.order == now.order

    def _welcome(self, client: Client, since: int | None) -> None:
        """Let a client join: send it the state, unless it has it already, then the newer live messages."""
        self._manager.enter(client, Room(self.job_id, client.dialect))
        record = self.record
        if record is None:
            if client.dialect is Dialect.ENVELOPE:
                self._manager.send_to(client.id, self._unknown())
            return
        if client.dialect is Dialect.FLAT:
            state = self._messages.flat_state(record)
        elif since == self.revision:
            state = []
        else:
            state = self._messages.envelopes(current_state(record), self.revision, must_arrive=True)
        for message in (*state, *self._newer(record, client.dialect)):
            self._manager.send_to(client.id, message)

    def _newer(self, record: JobRecord, dialect: Dialect) -> list[Message]:
        """Return the newest live messages that are newer than the record, in order."""
        if record.is_terminal:
            return []
        known = parse_order(record.order)
        live = [message for order, message in sorted(self._latest.values(), key=_order_of) if order > known]
        if dialect is Dialect.ENVELOPE:
            return live
        return [
            flat
            for message in live
            if message.type is MessageType.PROGRESS
            for flat in self._messages.flat_live(message.body)
        ]

    def _unknown(self) -> Message:
        text = f"There is no job {self.job_id}: it never existed, or it ended long ago. Its result may still be stored."
        return error_message(Code.JOB_UNKNOWN, text, self._clock.monotonic_s(), job_id=self.job_id)


def _order_of(pair: tuple[LiveOrder, Message]) -> LiveOrder:
    return pair[0]
