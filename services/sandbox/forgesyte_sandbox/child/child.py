"""The sandboxed process from its fork to its end: harden, read the order, run one program, say how it ended.

It holds no credentials and opens no connection. It always ends by os._exit: neither a plugin's atexit handlers nor its
threads get a say after the last message.
"""

import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from forgesyte_sandbox.parent.verdict import EXIT_NO_MEMORY
from forgesyte_sandbox.shared.heartbeat import Lane, Step, StepMarker
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.messages import GO, SPEC, AnyMessage, Finished, Loaded, ProtocolError, encode
from forgesyte_sandbox.shared.pipe import receive_frame, send_frame

from . import hardening

MAX_ORDER_BYTES = 8 * MIB
_RESERVE_BYTES = 4 * MIB


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The three descriptors a sandbox is born with, in the order of the fork request."""

    pipe: int
    page: int
    log: int


class Context:
    """What a program works with: its spec, the limits, the heartbeat, and the way to the parent.

    Messages are sent by the thread that runs the program, and by no other.
    """

    def __init__(self, pipe: socket.socket, heartbeat: StepMarker, spec: dict[str, Any], limits: Limits) -> None:
        self._pipe = pipe
        self.heartbeat = heartbeat
        self.spec = spec
        self.limits = limits

    def send(self, message: AnyMessage) -> None:
        """Send a message; blocks while the parent is busy, which counts against no step."""
        with self.heartbeat.writing():
            send_frame(self._pipe, *encode(message))

    def loaded(self) -> bytes:
        """Tell the parent that load has ended, or the job before, and wait until it has set the limits for what comes.

        Returns:
            What the parent sent along: the next job in a warm sandbox, nothing elsewhere.
        """
        # Idle before it is said: the parent marks the page when it answers, and nothing may be written over that.
        self.heartbeat.enter(Lane.TOOLS, Step.IDLE)
        send_frame(self._pipe, *encode(Loaded()))
        kind, body = receive_frame(self._pipe, max_bytes=MAX_ORDER_BYTES)
        if kind != GO:
            raise ProtocolError(f"expected {GO!r} of the parent, found {kind!r}")
        return body

    def of_job(self, spec: dict[str, Any], limits: Limits) -> "Context":
        """Give the context of one job in a warm sandbox."""
        return Context(self._pipe, self.heartbeat, spec, limits)


def enter(descriptors: Descriptors, *, scratch: str, zygote_pid: int) -> NoReturn:
    """Become the sandbox and never return (called in the fork)."""
    if not hardening.leave_family(zygote_pid):
        os._exit(0)
    hardening.reset_signals()
    hardening.keep_descriptors(descriptors.log, (descriptors.pipe, descriptors.page))
    hardening.move_into(scratch)
    pipe = socket.socket(fileno=descriptors.pipe)
    kind, body = receive_frame(pipe, max_bytes=MAX_ORDER_BYTES)
    if kind != SPEC:
        raise ProtocolError(f"expected {SPEC!r} of the parent, found {kind!r}")
    order = orjson.loads(body)
    limits = Limits.from_dict(order["limits"])
    hardening.limit_resources(limits)
    heartbeat = StepMarker(descriptors.page)
    os.close(descriptors.page)  # mapped, and the mapping holds a descriptor of its own
    _run(order["program"], Context(pipe, heartbeat, order["spec"], limits))


def _run(program: str, context: Context) -> NoReturn:
    from .programs import load_program
    from .programs.failures import describe

    # Given back before the failure is described: a plugin may have eaten everything up to the limit.
    reserve = bytearray(_RESERVE_BYTES)
    try:
        last: AnyMessage = Finished(load_program(program)(context))
    except BaseException as error:  # noqa: BLE001 - border: sandbox child; SystemExit and KeyboardInterrupt too
        del reserve
        try:
            last = describe(error, frame=context.heartbeat.frame)
        except MemoryError:
            os._exit(EXIT_NO_MEMORY)
    _send_last(context, last)


def _send_last(context: Context, last: AnyMessage) -> NoReturn:
    flush_output()
    context.send(last)
    os._exit(0)


def flush_output() -> None:
    """Hand what was printed to the log pipe; whoever closed stdout lost the last words, not the run."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
