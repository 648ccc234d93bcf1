"""What a program works with: its spec, its limits, its heartbeat, the wall around it and the way to the parent."""

import socket
import sys
from contextlib import suppress
from typing import Any

import orjson

from forgesyte_sandbox.child.wall.policy import Built
from forgesyte_sandbox.shared.heartbeat import Lane, Step, StepMarker
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.messages import GO, AnyMessage, Loaded, ProtocolError, encode
from forgesyte_sandbox.shared.pipe import receive_frame, send_frame
from forgesyte_sandbox.shared.process_memory import limit_data
from forgesyte_sandbox.shared.specs import Spec

MAX_ORDER_BYTES = 8 * MIB


class Context[S: Spec]:
    """What a program works with: its spec, the limits, the heartbeat, the wall around it, the way to the parent.

    Messages are sent by the thread that runs the program, and by no other.
    """

    def __init__(self, pipe: socket.socket, heartbeat: StepMarker, spec: S, limits: Limits, built: Built) -> None:
        self._pipe = pipe
        self.heartbeat = heartbeat
        self.spec = spec
        self.limits = limits
        self.built = built

    def send(self, message: AnyMessage) -> None:
        """Send a message; blocks while the parent is busy, and that time counts against no step."""
        with self.heartbeat.writing():
            send_frame(self._pipe, *encode(message))

    def loaded(self) -> dict[str, Any]:
        """Tell the parent that loading, or the previous job, has ended; wait for its answer and lower the memory limit.

        Returns:
            What the parent sent with its answer: the next job in a warm sandbox, nothing of use elsewhere.
        """
        # Idle first: the parent marks the page when it answers, and that mark must not be overwritten.
        self.heartbeat.enter(Lane.TOOLS, Step.IDLE)
        send_frame(self._pipe, *encode(Loaded()))
        kind, body = receive_frame(self._pipe, max_bytes=MAX_ORDER_BYTES)
        if kind != GO:
            raise ProtocolError(f"expected {GO!r} from the parent, found {kind!r}")
        order: dict[str, Any] = orjson.loads(body)
        with suppress(ValueError):  # the plugin has lowered it further itself
            limit_data(order["data_limit"])
        return order

    def of_job[T: Spec](self, spec: T, limits: Limits) -> "Context[T]":
        """Return a context with another spec over the same pipe, as each job in a warm sandbox gets one."""
        return Context(self._pipe, self.heartbeat, spec, limits, self.built)


def flush_output() -> None:
    """Flush what was printed to the log pipe; a plugin that closed stdout loses its last output, not the run."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
