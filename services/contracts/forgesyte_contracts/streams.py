"""The streams and buckets of the bus as data; chassis.bus creates them with one idempotent ensure()."""

from dataclasses import dataclass

from .subjects import ALL_WORK

MAX_BUS_BYTES = 512 * 1024
"""The largest message that travels on the bus."""

MAX_RECORD_BYTES = 64 * 1024
"""A job's record is cut (to its newest warnings and attempts) until it fits."""

HEADER_ROOM_BYTES = 1024
"""The server counts a message's headers (the expected revision) with its value."""


@dataclass(frozen=True, slots=True)
class WorkStream:
    """The queue of jobs that wait for a runner: one message per job, without an age limit, kept until acknowledged."""

    name: str = "WORK"
    subjects: tuple[str, ...] = (ALL_WORK,)
    ack_wait_s: float = 10.0
    in_progress_every_s: float = 2.0
    max_deliver: int = -1
    max_ack_pending: int = 10_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A key-value bucket; a value and its headers may have `max_value_bytes` together. Direct gets are always off.

    With `ttl_s` None, values stay until they are deleted.
    """

    name: str
    max_value_bytes: int
    ttl_s: float | None = None


WORK = WorkStream()
JOBS = Bucket("jobs", MAX_RECORD_BYTES + HEADER_ROOM_BYTES)
RUNNERS = Bucket("runners", MAX_BUS_BYTES, ttl_s=8.0)
PLUGINS = Bucket("plugins", MAX_BUS_BYTES)
BUCKETS = (JOBS, RUNNERS, PLUGINS)
HEARTBEAT_EVERY_S = 2.0
