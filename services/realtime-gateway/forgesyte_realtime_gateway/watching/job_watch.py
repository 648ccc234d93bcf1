"""One watched job: what is known of it, and what of that is told to whom.

What must arrive is made from the record. A live message is shown when it is newer than the record and than every one
before it, and never after the ending. A client that joins is told the record's state, then what is newer than that.
"""

from collections.abc import Callable

from forgesyte_chassis.bus import LiveMessage
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
from forgesyte_realtime_gateway.messages.complaint import complaint
from forgesyte_realtime_gateway.messages.job_messages import JobMessages
from forgesyte_realtime_gateway.messages.message import COALESCED, Dialect, Message, Room
from forgesyte_realtime_gateway.metric_labels import Passed
from forgesyte_realtime_gateway.metrics import GatewayMetrics


class JobWatch:
    """A job that somebody watches.

    Attributes:
        record: as it was last read, None before.
        revision: the record's, 0 before.
    """

    def __init__(
        self, job_id: JobId, manager: ConnectionManager, metrics: GatewayMetrics, clock: Callable[[], float]
    ) -> None:
        self.job_id = job_id
        self.record: JobRecord | None = None
        self.revision = 0
        self._manager = manager
        self._metrics = metrics
        self._clock = clock
        self._wording = JobMessages(job_id, clock)
        self._envelopes = Room(job_id, Dialect.ENVELOPE)
        self._flats = Room(job_id, Dialect.FLAT)
        self._waiting: dict[Client, int | None] = {}
        self._shown = NO_ORDER
        self._latest: dict[MessageType, tuple[LiveOrder, Message]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody watches any more."""
        has_members = self._manager.has_members(self._envelopes) or self._manager.has_members(self._flats)
        return not self._waiting and not has_members

    @property
    def has_ended(self) -> bool:
        """Whether everything about the job has been said."""
        return self.record is not None and self.record.is_terminal

    @property
    def is_owed(self) -> bool:
        """Whether somebody waits for a state that could not be read yet."""
        return bool(self._waiting)

    def expect(self, client: Client, since: int | None) -> None:
        """Note that a client will join once the record is read; `since` is the revision it has seen."""
        self._waiting[client] = since

    def drop(self, client: Client) -> None:
        """Forget a client."""
        self._waiting.pop(client, None)
        self._manager.leave(client, Room(self.job_id, client.dialect))

    def take_record(self, record: JobRecord | None, revision: int) -> None:
        """Take the record as it was read or reported, and tell who is here what is new; who waits is let in by admit().

        Args:
            record: None when there is none.
            revision: its revision; a lower one than known is old news.
        """
        if record is not None and revision > self.revision:
            before, self.record, self.revision = self.record, record, revision
            self._announce(before, record)

    def start_anew(self) -> None:
        """Forget what was known: the bus went back, and revisions and orders of before say nothing about what comes."""
        if not self.has_ended:
            self.record, self.revision, self._shown = None, 0, NO_ORDER
            self._latest.clear()

    def vanish(self) -> None:
        """Tell who is here that the record is gone; of an ended job everything was said already."""
        if self.record is not None and not self.has_ended:
            self.start_anew()
            self._manager.broadcast(self._unknown(), self._envelopes)

    def admit(self) -> None:
        """Let in everybody who waits, with what is known now."""
        waiting, self._waiting = self._waiting, {}
        for client, since in waiting.items():
            self._welcome(client, since)

    def take_live(self, live: LiveMessage) -> None:
        """Take a live message: show it, keep it until the record is read, or drop it."""
        order = parse_order(live.order)
        reason = self._why_not(live.kind, order)
        if reason is not None:
            kind = live.kind if live.kind in MessageType else "other"
            self._metrics.dropped.labels(kind, reason).inc()
            return
        kind = MessageType(live.kind)
        message = self._wording.live(kind, live.body)
        self._shown = order
        self._latest[kind] = (order, message)
        if self.record is None:
            return  # nobody can be here before the record; whoever comes gets the newest of each
        self._manager.broadcast(message, self._envelopes)
        if kind is MessageType.PROGRESS and self._manager.has_members(self._flats):
            for flat in self._wording.flat_live(live.body):
                self._manager.broadcast(flat, self._flats)

    def _why_not(self, kind: str, order: LiveOrder) -> Passed | None:
        if self.has_ended:
            return Passed.ENDED
        if kind not in COALESCED:
            return Passed.RECORD  # what must arrive is made from the record, and must not arrive twice
        return None if order > self._shown else Passed.ORDER

    def _announce(self, before: JobRecord | None, now: JobRecord) -> None:
        """Tell who is here what is new between two records."""
        news = current_state(now) if before is None else news_between(before, now)
        progress = progress_of(now)
        if before is not None and progress is not None and self._is_progress_news(before, now):
            news.append(progress)
        for message in self._wording.envelopes(news, self.revision):
            self._manager.broadcast(message, self._envelopes)
        if self._manager.has_members(self._flats):
            for message in self._wording.flat_news(before, now, has_progress=progress in news):
                self._manager.broadcast(message, self._flats)
        self._shown = max(self._shown, parse_order(now.order))
        if now.is_terminal:
            self._latest.clear()

    def _is_progress_news(self, before: JobRecord, now: JobRecord) -> bool:
        """Whether the record of a running job says more of its progress than the live messages did."""
        order = parse_order(now.order)
        if now.is_terminal or order < self._shown or progress_of(before) == progress_of(now):
            return False
        was_said = MessageType.PROGRESS in self._latest and order == self._shown
        return not was_said or before.order == now.order

    def _welcome(self, client: Client, since: int | None) -> None:
        """Tell a client the state, unless it has it, then what is newer; from now on it hears everything."""
        self._manager.enter(client, Room(self.job_id, client.dialect))
        record = self.record
        if record is None:
            if client.dialect is Dialect.ENVELOPE:
                self._manager.send_to(client.id, self._unknown())
            return
        if client.dialect is Dialect.FLAT:
            state = self._wording.flat_state(record)
        elif since == self.revision:
            state = []
        else:
            state = self._wording.envelopes(current_state(record), self.revision, must_arrive=True)
        for message in (*state, *self._newer(record, client.dialect)):
            self._manager.send_to(client.id, message)

    def _newer(self, record: JobRecord, dialect: Dialect) -> list[Message]:
        """The newest live messages that are newer than the record, in order."""
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
            for flat in self._wording.flat_live(message.body)
        ]

    def _unknown(self) -> Message:
        text = f"There is no job {self.job_id}: it never was, or it ended long ago. Its result may still be there."
        return complaint(Code.JOB_UNKNOWN, text, self._clock(), job_id=self.job_id)


def _order_of(pair: tuple[LiveOrder, Message]) -> LiveOrder:
    return pair[0]
