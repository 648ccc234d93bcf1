"""The only place for test helpers: waiting on a condition, a clock, nats-server, records, clips, the whole product."""

from .clips import brightness_of, make_clip
from .clock import NOW, HandClock
from .forked import PLAIN_TERMINAL, Forked, run_forked, start_forked
from .keys import digest_of
from .meeting import meeting_point
from .nats import NatsServer, free_port, nats_server
from .records import job_ids
from .soak import IS_SOAK
from .stack import FORGESYTE, SHORT_KEEPING, TEST_PLUGINS, Stack, alive, running_stack
from .waiting import eventually

__all__ = [
    "FORGESYTE",
    "IS_SOAK",
    "NOW",
    "PLAIN_TERMINAL",
    "SHORT_KEEPING",
    "TEST_PLUGINS",
    "Forked",
    "HandClock",
    "NatsServer",
    "Stack",
    "alive",
    "brightness_of",
    "digest_of",
    "eventually",
    "free_port",
    "job_ids",
    "make_clip",
    "meeting_point",
    "nats_server",
    "run_forked",
    "running_stack",
    "start_forked",
]
