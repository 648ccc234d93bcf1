"""Which runners are alive: each writes its heartbeat every 2 s into a bucket whose entries expire after 8 s.

Expiry raises no event, so the view notes when each heartbeat arrived and judges by its own clock. While the bus is
unreachable no runner can write a heartbeat; then, and for one lifetime of a heartbeat after the connection is restored,
no runner is considered dead.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pydantic import ValidationError

from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_chassis.clock import SYSTEM_CLOCK, Clock
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import MAX_BUS_BYTES, RUNNERS

from .bucket_feed import Entry
from .bucket_view import keeping_current
from .buckets import BucketStore
from .heartbeat_size import fitted

KEPT_S = 3600.0
"""How long a runner that fell silent is remembered as one that never took its leave."""

log = structlog.get_logger(__name__)


class RunnerView:
    """The runners by their last heartbeat; kept up to date while `RunnerTable.watch` is open."""

    def __init__(self, connection: Connection, ttl_s: float, clock: Clock) -> None:
        self._connection = connection
        self._ttl_s = ttl_s
        self._clock = clock
        self._heard: dict[str, tuple[float, RunnerHeartbeat]] = {}
        self._lost: dict[str, tuple[float, RunnerHeartbeat]] = {}
        self._left: dict[str, float] = {}

    def living(self) -> dict[str, RunnerHeartbeat]:
        """Return the last heartbeat of every living runner, by runner id."""
        now_s = self._clock.monotonic_s()
        if self._connection.usable_for_s >= self._ttl_s:
            silent = {key: heard for key, heard in self._heard.items() if now_s - heard[0] >= self._ttl_s}
            self._heard = {key: heard for key, heard in self._heard.items() if key not in silent}
            self._lost |= silent
        return {key: heartbeat for key, (_, heartbeat) in self._heard.items()}

    def known(self) -> dict[str, tuple[float, RunnerHeartbeat]]:
        """Return each runner that has not taken its leave: by id, seconds since its last heartbeat, and that heartbeat.

        Those that do not live any more are kept for KEPT_S seconds.
        """
        now_s = self._clock.monotonic_s()
        self.living()
        self._lost = {key: heard for key, heard in self._lost.items() if now_s - heard[0] < KEPT_S}
        return {key: (now_s - heard_s, beat) for key, (heard_s, beat) in (self._lost | self._heard).items()}

    def left_s(self, plugin: str) -> float | None:
        """Return how long ago a runner that offered a plugin last took its leave; None if none was seen to."""
        at_s = self._left.get(plugin)
        return None if at_s is None else self._clock.monotonic_s() - at_s

    def take(self, entry: Entry) -> None:
        """Take in one entry of the bucket."""
        if entry.data is not None:
            try:
                self._lost.pop(entry.key, None)
                self._heard[entry.key] = (self._clock.monotonic_s(), RunnerHeartbeat.model_validate_json(entry.data))
            except ValidationError as error:
                log.warning("heartbeat unreadable", runner_id=entry.key, faults=error.error_count())
        elif not entry.is_missing:
            heard = self._heard.pop(entry.key, None) or self._lost.pop(entry.key, None)
            if heard is not None:
                self._left |= {plugin.name: self._clock.monotonic_s() for plugin in heard[1].plugins}


class RunnerTable:
    """The bucket `runners`."""

    def __init__(self, connection: Connection, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bucket = BucketStore(connection, RUNNERS.name)
        self._clock = clock
        self._left_out: frozenset[str] = frozenset()

    async def beat(self, heartbeat: RunnerHeartbeat) -> None:
        """Write this runner's heartbeat. Raises BusUnavailable; the next heartbeat makes up for it.

        One that is too large is sent without its largest manifests: a runner without heartbeats is considered dead.
        """
        beat = fitted(heartbeat)
        if not beat.left_out <= self._left_out:
            log.error("manifests left out of the heartbeat", plugins=sorted(beat.left_out), limit_bytes=MAX_BUS_BYTES)
        self._left_out = beat.left_out
        await self._bucket.write(heartbeat.runner_id, beat.data)

    async def remove(self, runner_id: str) -> None:
        """Remove this runner's heartbeat, so that no service waits for it to expire. Raises BusUnavailable."""
        await self._bucket.remove(runner_id)

    async def alive(self, runner_id: str) -> bool:
        """Return whether the leader still has the runner's heartbeat. Raises BusUnavailable."""
        return await self._bucket.read(runner_id) is not None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[RunnerView]:
        """Keep a view of all runners; it is complete when the block begins.

        Raises:
            BusUnavailable: the bucket could not be read at the start.
        """
        view = RunnerView(self._bucket.connection, RUNNERS.ttl_s or 0.0, self._clock)
        async with keeping_current(view.take, self._bucket.connection, RUNNERS.name):
            yield view
