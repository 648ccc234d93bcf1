"""Follows a bucket and notices when the stream of changes has stalled.

A watch is an ephemeral push consumer: first the last value of every key (the snapshot), then each write. It can die
silently with the server that hosted it, so once a second the stream's last sequence is compared with the last revision
seen; two seconds behind, a gap in the deliveries or a reconnect lead to a new watch with a new snapshot. Only the news
in that snapshot is passed on, and keys that vanished in the meantime are reported as missing. This module has no task:
it checks the stream while its reader waits for the next entry.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from nats.aio.msg import Msg

from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_chassis.bus.errors import BusUnavailable
from forgesyte_chassis.bus.provision import key_subject, stream_of

from .buckets import OPERATION_HEADER

CHECK_EVERY_S = 1.0
BEHIND_LIMIT_S = 2.0
_SNAPSHOT_LIMIT_S = 10.0
_IDLE_LIMIT_NS = 60_000_000_000
_MARKER_HEADER = "Nats-Marker-Reason"
_QUEUE_SIZE = 65_536

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of one key.

    `data` is None if the key is gone; `is_missing` if its removal was never announced but a snapshot lacks it.
    `is_anew` if the stream went back (a lost disk, a restored copy): earlier knowledge of the key is void, whatever its
    revision.
    """

    key: str
    data: bytes | None
    revision: int
    is_missing: bool = False
    is_anew: bool = False


@dataclass(slots=True)
class _Watch:
    """One lifetime of the consumer. `floor`: a value of this sequence or a lower one is in the snapshot, or gone."""

    generation: int = 0
    floor: int = 0
    name: str = ""
    snapshot_left: int = 0
    is_anew: bool = False
    is_settled: bool = False
    delivered: int = 0
    messages: asyncio.Queue[Msg] = field(default_factory=lambda: asyncio.Queue(_QUEUE_SIZE))
    in_snapshot: set[str] = field(default_factory=set)

    async def take(self, message: Msg) -> None:
        # A full queue means a stalled reader: a message that does not fit leaves a gap, and a gap starts a new watch.
        if not self.messages.full():
            self.messages.put_nowait(message)


class BucketFeed:
    """The entries of one bucket, in the order in which they were written. Created by `watch_bucket`."""

    def __init__(self, connection: Connection, bucket: str) -> None:
        self._connection = connection
        self._bucket = bucket
        self._known: dict[str, int] = {}
        self._watch = _Watch()
        self._stack = AsyncExitStack()
        self._seen = 0
        self._last = 0
        self._behind_since: float | None = None
        self._next_check = 0.0
        self._current_at = _now_s()

    @property
    def lag(self) -> int:
        """How many revisions the stream was ahead of the reader at the last check."""
        return max(self._last - self._seen, 0)

    @property
    def is_current(self) -> bool:
        """Whether the bus is connected and the reader had everything at the last check."""
        watch = self._watch
        is_alive = self._connection.is_connected and watch.generation == self._connection.reconnects
        return is_alive and watch.is_settled and watch.messages.empty() and self.lag == 0

    @property
    def behind_for_s(self) -> float:
        """Seconds since the reader last had everything; 0 while it has. A write that is on its way is no fault."""
        return 0.0 if self.is_current else _now_s() - self._current_at

    async def snapshot(self) -> list[Entry]:
        """Return the entries up to the end of the first snapshot.

        Raises:
            BusUnavailable: it did not arrive in time.
        """
        entries: list[Entry] = []
        end = _now_s() + _SNAPSHOT_LIMIT_S
        while not self._watch.is_settled:
            if _now_s() > end:
                raise BusUnavailable(
                    f"The message broker (NATS) did not deliver {self._bucket} within {_SNAPSHOT_LIMIT_S:g} s."
                )
            entries += await self._step()
        return entries

    async def __aiter__(self) -> AsyncIterator[Entry]:
        while True:
            for entry in await self._step():
                yield entry

    async def open(self) -> None:
        """Start a watch; an earlier one is closed.

        Raises:
            BusUnavailable: no watch could be started.
        """
        await self.close()
        self._behind_since = None
        self._next_check = _now_s() + CHECK_EVERY_S
        watch = _Watch(generation=self._connection.reconnects, floor=await self._last_sequence())
        inbox = self._connection.new_inbox()
        await self._stack.enter_async_context(self._connection.subscribe(inbox, watch.take))
        config = {
            "deliver_subject": inbox,
            "deliver_policy": "last_per_subject",
            "filter_subject": key_subject(self._bucket, ">"),
            "ack_policy": "none",
            "max_deliver": 1,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": _IDLE_LIMIT_NS,
        }
        stream = stream_of(self._bucket)
        info = await self._connection.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
        watch.name = info["name"]
        watch.snapshot_left = info["num_pending"] + info["delivered"]["consumer_seq"]
        self._watch = watch
        if watch.floor < self._seen:
            # The stream went back (a lost disk, a restored copy): its revisions say nothing about earlier knowledge.
            log.warning("bucket revision went backwards", bucket=self._bucket, seen=self._seen, found=watch.floor)
            watch.is_anew = True
            self._known = dict.fromkeys(self._known, 0)
            self._seen = self._last = watch.floor

    async def close(self) -> None:
        """Stop the watch."""
        await self._stack.aclose()
        name, self._watch.name = self._watch.name, ""
        if name and self._connection.is_connected:
            try:
                await self._connection.api(f"CONSUMER.DELETE.{stream_of(self._bucket)}.{name}")
            except BusUnavailable:
                log.debug("watch not deleted, it will expire", bucket=self._bucket)

    async def _last_sequence(self) -> int:
        info = await self._connection.api(f"STREAM.INFO.{stream_of(self._bucket)}")
        return int(info["state"]["last_seq"])

    async def _step(self) -> list[Entry]:
        """Wait for the next change or the next check, whichever comes first."""
        watch = self._watch
        if self.is_current:
            self._current_at = _now_s()
        if watch.name and not watch.is_settled and not watch.snapshot_left:
            return self._settle()
        try:
            async with asyncio.timeout_at(self._next_check):
                message = await watch.messages.get()
        except TimeoutError:
            await self._check()
            return []
        return await self._take(message)

    def _settle(self) -> list[Entry]:
        """End a snapshot: known keys that are not in it have vanished."""
        watch = self._watch
        watch.is_settled = True
        self._seen = max(self._seen, watch.floor)
        gone = [key for key, at in self._known.items() if key not in watch.in_snapshot and at <= watch.floor]
        for key in gone:
            del self._known[key]
        watch.in_snapshot.clear()
        return [Entry(key, None, watch.floor, is_missing=True, is_anew=watch.is_anew) for key in gone]

    async def _take(self, message: Msg) -> list[Entry]:
        watch, facts = self._watch, message.metadata
        revision = facts.sequence.stream
        watch.delivered += 1
        if facts.sequence.consumer != watch.delivered:
            await self._renew("gap")
            return []
        key = message.subject.removeprefix(key_subject(self._bucket, ""))
        is_anew = False
        if watch.snapshot_left:
            watch.in_snapshot.add(key)
            watch.snapshot_left = watch.snapshot_left - 1 if facts.num_pending else 0
            # The newest revision of a key never falls, so a stream in which it did went back and has moved on since.
            is_anew = watch.is_anew or revision < self._known.get(key, 0)
        self._seen = max(self._seen, revision)
        return self._news(key, revision, message, is_anew=is_anew)

    def _news(self, key: str, revision: int, message: Msg, *, is_anew: bool) -> list[Entry]:
        if revision <= self._known.get(key, -1) and not is_anew:
            return []
        headers = message.headers or {}
        if OPERATION_HEADER in headers or _MARKER_HEADER in headers:
            was_known = self._known.pop(key, None) is not None
            return [Entry(key, None, revision, is_anew=is_anew)] if was_known else []
        self._known[key] = revision
        return [Entry(key, message.data, revision, is_anew=is_anew)]

    async def _check(self) -> None:
        """Compare what was seen with what the stream had at the previous check, and restart a dead watch.

        What the stream has at this very moment may still be on its way to a healthy reader.
        """
        self._next_check = _now_s() + CHECK_EVERY_S
        if not self._connection.is_connected:
            return
        if self._watch.generation != self._connection.reconnects or not self._watch.name:
            await self._renew("reconnect")
            return
        due, seen = self._last, self._seen
        try:
            self._last = await self._last_sequence()
        except BusUnavailable:
            return
        is_behind = seen < due or seen > self._last or not self._watch.is_settled
        if not is_behind or not self._watch.messages.empty():
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = _now_s()
        elif _now_s() - self._behind_since >= BEHIND_LIMIT_S:
            await self._renew("behind")

    async def _renew(self, reason: str) -> None:
        log.info("watch renewed", bucket=self._bucket, reason=reason, lag=self.lag)
        try:
            await self.open()
        except BusUnavailable:
            # The watch has no name now, so the next check tries again.
            log.warning("watch not renewed, will be tried again", bucket=self._bucket)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def watch_bucket(connection: Connection, bucket: str) -> AsyncIterator[BucketFeed]:
    """Follow a bucket; the watch is closed at the end.

    Raises:
        BusUnavailable: the first watch could not be started.
    """
    feed = BucketFeed(connection, bucket)
    try:
        await feed.open()
        yield feed
    finally:
        await feed.close()
