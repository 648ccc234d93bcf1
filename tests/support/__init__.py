"""The only place for test helpers: waiting on a condition, a real nats-server, clips, the whole product."""

from .clips import brightness_of, make_clip
from .nats import NatsServer, nats_server
from .stack import FORGESYTE, TEST_PLUGINS, Stack, alive, running_stack
from .waiting import eventually

__all__ = [
    "FORGESYTE",
    "TEST_PLUGINS",
    "NatsServer",
    "Stack",
    "alive",
    "brightness_of",
    "eventually",
    "make_clip",
    "nats_server",
    "running_stack",
]
