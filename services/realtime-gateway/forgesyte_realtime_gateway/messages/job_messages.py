"""Makes the messages about one job: envelopes, and the flat events of the older socket.

It remembers the highest progress it has sent, because progress never falls: a later attempt begins at frame 0, and a
runner that died may have reported more than the record that its successor reads.
"""

from collections.abc import Sequence

import orjson
import structlog
from pydantic import ValidationError

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.progress import never_falling
from forgesyte_contracts.realtime import (
    MessageType,
    Payload,
    ProgressPayload,
    ProgressStatus,
    envelope,
    flat_ending,
    flat_progress,
    progress_of,
)

from .message import Message

log = structlog.get_logger(__name__)


class JobMessages:
    """Makes the messages about one job."""

    def __init__(self, job_id: JobId, clock: Clock) -> None:
        self._job_id = job_id
        self._monotonic_s = clock.monotonic_s
        self._percent = 0
        self._progress = 0
        self._flat_sent: tuple[int | None, int | None] = (None, None)

    def live(self, kind: MessageType, body: bytes) -> Message:
        """Wrap a live message unchanged, except that progress below what was sent before is lifted to it."""
        if kind is MessageType.PROGRESS:
            body = self._lifted(body)
        return Message(kind, body, job_id=self._job_id, must_arrive=False, made_s=self._monotonic_s())

    def _lifted(self, body: bytes) -> bytes:
        try:
            message = orjson.loads(body)
            progress = message["payload"]["progress"] or 0
            self._progress = never_falling(self._progress, progress)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return body
        if progress == self._progress:
            return body
        message["payload"]["progress"] = self._progress
        return orjson.dumps(message)

    def _lift(self, payload: Payload) -> Payload:
        if not isinstance(payload, ProgressPayload):
            return payload
        self._progress = never_falling(self._progress, payload.progress)
        return payload.model_copy(update={"progress": self._progress})

    def envelopes(self, payloads: Sequence[Payload], revision: int, *, must_arrive: bool = False) -> list[Message]:
        """Return the messages made from one revision of the record.

        Only the last one carries the revision: a client that has it has everything before it as well.

        Args:
            payloads: the payloads, in order.
            revision: the record's revision.
            must_arrive: whether the progress of a running job must be delivered too.
        """
        messages = []
        for place, payload in enumerate(map(self._lift, payloads), start=1):
            is_progress = isinstance(payload, ProgressPayload)
            is_ending = isinstance(payload, ProgressPayload) and payload.status is not ProgressStatus.RUNNING
            seq = revision if place == len(payloads) else None
            message = Message(
                payload.TYPE,
                envelope(payload, seq=seq),
                job_id=self._job_id,
                seq=seq,
                must_arrive=must_arrive or is_ending or not is_progress,
                ends_job=is_ending,
                made_s=self._monotonic_s(),
            )
            messages.append(message)
        return messages

    def flat_news(self, before: JobRecord | None, now: JobRecord, *, has_progress: bool) -> list[Message]:
        """Return the flat events for a change; the last frame of a completed job is never left out."""
        ending = flat_ending(now)
        if ending is None:
            return self._flat_record(now, must_arrive=False) if has_progress else []
        if before is not None and before.is_terminal:
            return []
        is_sent = self._flat_sent == (now.current_frame, now.total_frames)
        last = self._flat_record(now) if now.status is JobStatus.COMPLETED and not is_sent else []
        return [*last, self._flat(ending, is_ending=True)]

    def flat_state(self, record: JobRecord) -> list[Message]:
        """Return the flat events for a client that joins."""
        ending = flat_ending(record)
        return self._flat_record(record) + ([] if ending is None else [self._flat(ending, is_ending=True)])

    def flat_live(self, body: bytes) -> list[Message]:
        """Return the flat form of live progress; nothing when the message breaks the contract."""
        try:
            payload = orjson.loads(body)["payload"]
            # A newer runner may send fields that this gateway does not know.
            known = {name: payload[name] for name in ProgressPayload.model_fields if name in payload}
            progress = ProgressPayload.model_validate(known)
        except (ValidationError, orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("live progress unreadable", job_id=self._job_id, size_bytes=len(body))
            return []
        return [self._flat_progress(progress, must_arrive=False)]

    def _flat_record(self, record: JobRecord, *, must_arrive: bool = True) -> list[Message]:
        self._percent = never_falling(self._percent, record.progress)
        progress = progress_of(record)
        if progress is None or progress.current_frame is None:
            return []
        return [self._flat_progress(progress, must_arrive=must_arrive)]

    def _flat_progress(self, progress: ProgressPayload, *, must_arrive: bool) -> Message:
        event = flat_progress(progress, least_percent=self._percent)
        self._percent = event.percent
        self._flat_sent = (progress.current_frame, progress.total_frames)
        return self._flat(event.wire(), must_arrive=must_arrive)

    def _flat(self, event: dict[str, object], *, must_arrive: bool = True, is_ending: bool = False) -> Message:
        return Message(
            MessageType.PROGRESS,
            orjson.dumps(event),
            job_id=self._job_id,
            must_arrive=must_arrive,
            ends_job=is_ending,
            flushes=is_ending,
            made_s=self._monotonic_s(),
        )
