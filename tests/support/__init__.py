"""The only place for test helpers: waiting on a condition, a real nats-server, builders."""

from .nats import NatsServer, nats_server
from .waiting import eventually

__all__ = ["NatsServer", "eventually", "nats_server"]
