"""What watchers of an attempt receive: progress, the plugin's status, the newest rows, previews.

Everything here may be lost: it is coalesced, dropped while the bus is unavailable, and made in a task of its own, so
that no job ever waits for its watchers. What must arrive (warnings, errors, endings) is made from the record by the
gateways; the record's `order` tells them which of these messages are older than it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog

from forgesyte_chassis.bus import Live
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.progress import never_falling
from forgesyte_contracts.realtime import (
    FramePayload,
    LiveOrder,
    PartialResultPayload,
    PartialRows,
    Payload,
    PluginStatusPayload,
    ProgressPayload,
    envelope,
    plugin_status_of,
    progress_of,
)
from forgesyte_plugin_runner.attempt.progress import FrameRate
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_plugin_runner.stopping import Stop
from forgesyte_sandbox.shared.messages import Message, Preview, Row

from .live_frames import NewestRows, Previews
from .watch_leases import WatchLeases

log = structlog.get_logger(__name__)

EVENTS_PER_SECOND = 30
"""Progress messages per second at most; frames that come faster share one."""

STATUS_EVERY_S = 1.0
PARTIAL_EVERY_S = 1.0
_LOOK_EVERY_S = 0.2
_LAST_WORDS_LIMIT_S = 1.0
_NEVER_S = float("-inf")


class LiveAttempt:
    """One attempt as watchers see it. run() publishes until it is cancelled; close() publishes the last messages.

    Args:
        live: the live subjects.
        known: returns the record as the attempt last wrote it.
        state: what is known beyond the record; it learns the order of each message.
        leases: which jobs are watched.
        stop: a stopped attempt publishes nothing more.
        clock: the runner's.
    """

    def __init__(
        self,
        live: Live,
        known: Callable[[], JobRecord],
        *,
        state: AttemptState,
        leases: WatchLeases,
        stop: Stop,
        clock: Clock,
    ) -> None:
        self._live = live
        self._known = known
        self._state = state
        self._leases = leases
        self._stop = stop
        self._clock = clock
        record = known()
        self._job_id = JobId(record.job_id)
        self._attempt = record.attempt
        self._n = 0
        self._news = asyncio.Event()
        self._rows = NewestRows()
        self._previews = Previews(record.tools, clock)
        self._rate = FrameRate()
        self._percent = 0
        self._progress: ProgressPayload | None = None
        self._status: PluginStatusPayload | None = None
        self._status_s = self._partial_s = _NEVER_S

    def is_watched(self) -> bool:
        """Whether this job is being watched now."""
        return self._stop.reason is None and self._leases.holds(self._job_id)

    def take(self, message: Message) -> None:
        """Note a message of the sandbox after the state took it; costs nothing while the job is not watched."""
        if not self.is_watched():
            return
        if isinstance(message, Row):
            self._rows.add(message.data)
            self._previews.note(message)
        elif isinstance(message, Preview):
            self._previews.offer(message)
        self._news.set()

    async def run(self) -> None:
        """Publish what is new, as often as each kind of message may be sent."""
        while True:
            await is_set_within(self._news, _LOOK_EVERY_S)
            self._news.clear()
            self._rate.note(self._state.frames_done, self._clock.monotonic_s())
            if self.is_watched():
                await self._tell(self._due())
                await asyncio.sleep(1 / EVENTS_PER_SECOND)
            else:
                self._forget()

    async def close(self) -> None:
        """Publish how far the sandbox got; waits briefly at most, and not at all when the job is not watched.

        How it ended is not published here: that is decided only when it is in the record, and the gateways send it.
        """
        if not self.is_watched():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_LIMIT_S):
                await self._tell(self._last())

    async def _tell(self, payloads: Iterator[Payload]) -> None:
        # All are made and counted before the first one is sent: a record written meanwhile must be neither older than
        # a message below its order nor newer than one above it.
        for kind, body, order in self._made(payloads):
            await self._live.publish(self._job_id, kind, body, order)

    def _made(self, payloads: Iterator[Payload]) -> list[tuple[str, bytes, str]]:
        made = []
        try:
            for payload in payloads:
                body = envelope(payload, now=self._clock.now())
                self._n += 1
                self._state.order = str(LiveOrder(self._attempt, self._n))
                made.append((payload.TYPE.value, body, self._state.order))
        except ValueError as fault:
            # A row may hold what no message can carry; it is still in the result.
            log.debug("live message left out", job_id=self._job_id, error=str(fault))
        return made

    def _due(self) -> Iterator[Payload]:
        now_s, shown = self._clock.monotonic_s(), self._shown()
        yield from self._due_status(shown, now_s)
        yield from self._due_progress(shown)
        if (preview := self._previews.take_due()) is not None:
            frame_index, data = preview
            yield FramePayload(
                job_id=shown.job_id,
                frame_id=f"{shown.job_id}-{frame_index}",
                frame_index=frame_index,
                plugin=shown.plugin_id,
                data=data,
                device_used=shown.device_used,
                timing_ms=shown.plugin_timings.get(shown.plugin_id),
            )
        if self._rows and now_s - self._partial_s >= PARTIAL_EVERY_S:
            self._partial_s = now_s
            rows = PartialRows(rows=self._rows.take())
            yield PartialResultPayload(job_id=shown.job_id, plugin=shown.plugin_id, result=rows)

    def _last(self) -> Iterator[Payload]:
        shown = self._shown()
        yield from self._due_progress(shown)
        if (status := plugin_status_of(shown)) is not None:
            yield status

    def _due_progress(self, shown: JobRecord) -> Iterator[Payload]:
        known = progress_of(shown)
        if known is None:
            return
        progress = known.model_copy(update={"stage": self._state.stage, "fps": self._rate.per_second})
        if self._is_news(progress):
            self._progress = progress
            yield progress

    def _is_news(self, progress: ProgressPayload) -> bool:
        """Whether anything but the speed has changed; the speed alone is news only when the job stands still."""
        before = self._progress
        if before is None or progress.model_copy(update={"fps": before.fps}) != before:
            return True
        return progress.fps == 0 and before.fps != 0

    def _due_status(self, shown: JobRecord, now_s: float) -> Iterator[Payload]:
        status = plugin_status_of(shown)
        if status is None:
            return
        is_change = self._status is None or self._status.status is not status.status
        if is_change or now_s - self._status_s >= STATUS_EVERY_S:
            self._status, self._status_s = status, now_s
            yield status

    def _shown(self) -> JobRecord:
        """Return the record as it would be written now; record and live messages follow the same rules."""
        shown = self._state.apply(self._known(), self._clock.now())
        self._percent = never_falling(self._percent, shown.progress)
        return shown.model_copy(update={"progress": self._percent})

    def _forget(self) -> None:
        # The next watcher receives everything again.
        self._progress = self._status = None
        if self._rows:
            self._rows = NewestRows()
        self._previews.clear()
