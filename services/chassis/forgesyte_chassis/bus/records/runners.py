"""Which runners live: each writes its heartbeat every 2 s into a bucket that forgets it after 8 s.

The forgetting raises no event, so the view keeps the moment each beat arrived here and judges by our own clock. While
the bus is away nobody can beat; then, and for one lifetime of a beat after it came back, nobody is given up.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pydantic import ValidationError

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_chassis.clock import SYSTEM_CLOCK, Clock
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import MAX_BUS_BYTES, RUNNERS

from .bucket_feed import Entry, Feed, watch_bucket
from .buckets import BucketStore
from .heartbeat_size import fitted

log = structlog.get_logger(__name__)


class RunnerView:
    """The runners as last heard of; kept up to date while `RunnerTable.watch` is open."""

    def __init__(self, connection: Connection, ttl_s: float, clock: Clock) -> None:
        self._connection = connection
        self._ttl_s = ttl_s
        self._clock = clock
        self._heard: dict[str, tuple[float, RunnerHeartbeat]] = {}

    def living(self) -> dict[str, RunnerHeartbeat]:
        """Give the last heartbeat of every runner that lives, by its id."""
        now_s = self._clock.monotonic_s()
        if self._connection.is_connected and self._connection.connected_for_s >= self._ttl_s:
            self._heard = {key: heard for key, heard in self._heard.items() if now_s - heard[0] < self._ttl_s}
        return {key: heartbeat for key, (_, heartbeat) in self._heard.items()}

    def take(self, entry: Entry) -> None:
        """Note one entry of the bucket."""
        if entry.data is not None:
            try:
                self._heard[entry.key] = (self._clock.monotonic_s(), RunnerHeartbeat.model_validate_json(entry.data))
            except ValidationError as error:
                log.warning("heartbeat unreadable", runner_id=entry.key, faults=error.error_count())
        elif not entry.is_missing:
            self._heard.pop(entry.key, None)


class RunnerTable:
    """The bucket `runners`."""

    def __init__(self, connection: Connection, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bucket = BucketStore(connection, RUNNERS.name)
        self._clock = clock
        self._left_out: frozenset[str] = frozenset()

    async def beat(self, heartbeat: RunnerHeartbeat) -> None:
        """Say that this runner lives. Raises BusUnavailable; the next beat is as good.

        One that is too large goes without its largest manifests: a runner whose beat fails is held for dead.
        """
        beat = fitted(heartbeat)
        if not beat.left_out <= self._left_out:
            log.error("manifests left out of the heartbeat", plugins=sorted(beat.left_out), limit_bytes=MAX_BUS_BYTES)
        self._left_out = beat.left_out
        await self._bucket.write(heartbeat.runner_id, beat.data)

    async def remove(self, runner_id: str) -> None:
        """Say that this runner is gone, so that nobody waits for its beat to expire. Raises BusUnavailable."""
        await self._bucket.remove(runner_id)

    async def alive(self, runner_id: str) -> bool:
        """Ask the leader whether the runner's heartbeat has not expired. Raises BusUnavailable."""
        return await self._bucket.read(runner_id) is not None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[RunnerView]:
        """Keep a view of all runners; it holds those of this moment when the block begins.

        Raises:
            BusUnavailable: the bucket could not be read at the start.
        """
        view = RunnerView(self._bucket.connection, RUNNERS.ttl_s or 0.0, self._clock)
        async with watch_bucket(self._bucket.connection, RUNNERS.name) as feed:
            for entry in await feed.snapshot():
                view.take(entry)
            async with beside(_follow(feed, view)):
                yield view


async def _follow(feed: Feed, view: RunnerView) -> None:
    async for entry in feed:
        view.take(entry)
