"""The sandboxed process from its fork to its end: harden, read the order, run one program, say how it ended.

It holds no credentials and opens no connection. It always ends with os._exit: no atexit handler and no thread of a
plugin runs after the last message.
"""

import os
import socket
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from forgesyte_sandbox.shared.exit_codes import EXIT_NO_MEMORY
from forgesyte_sandbox.shared.heartbeat import StepMarker
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.messages import SPEC, AnyMessage, Finished, ProtocolError
from forgesyte_sandbox.shared.pipe import receive_frame
from forgesyte_sandbox.shared.specs import SPECS, Spec
from forgesyte_sandbox.shared.wall_rules import Grants

from . import hardening
from .context import MAX_ORDER_BYTES, Context, flush_output
from .wall.build import Begun, WalledHome, build_wall
from .wall.foundation import Foundation

_RESERVE_BYTES = 4 * MIB


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The descriptors a sandbox is born with: three in the order of the fork request, and a socket to the zygote."""

    pipe: int
    page: int
    log: int
    referee: int


def enter(descriptors: Descriptors, *, home: WalledHome, foundation: Foundation) -> NoReturn:
    """Become the sandbox and never return (called in the fork)."""
    if not hardening.leave_family(foundation.zygote_pid):
        os._exit(0)
    hardening.reset_signals()
    hardening.keep_descriptors(descriptors.log, (descriptors.pipe, descriptors.page, descriptors.referee))
    hardening.move_into(home.scratch)
    pipe = socket.socket(fileno=descriptors.pipe)
    begun = Begun.begin(foundation, descriptors.referee)
    kind, body = receive_frame(pipe, max_bytes=MAX_ORDER_BYTES)
    if kind != SPEC:
        raise ProtocolError(f"expected {SPEC!r} from the parent, found {kind!r}")
    order = orjson.loads(body)
    limits = Limits.from_dict(order["limits"])
    heartbeat = StepMarker(descriptors.page)
    os.close(descriptors.page)  # the mapping holds a descriptor of its own
    home = home.of_order(SPECS.get(order["program"], Spec), order["spec"])
    built = build_wall(foundation, home, Grants.from_dict(order["grants"]), limits, begun=begun)
    _run(order, Context(pipe, heartbeat, Spec(), limits, built))


def _run(order: dict[str, Any], bare: Context[Spec]) -> NoReturn:
    from .failures import describe
    from .programs import load_program, read_spec

    # Freed before the failure is described: a plugin may have used all memory up to the limit. A bytearray would touch
    # each of its pages, which takes every start some milliseconds; the limit counts what was asked for.
    reserve = bytes(_RESERVE_BYTES)
    try:
        run = load_program(order["program"])
        last: AnyMessage = Finished(run(bare.of_job(read_spec(order["program"], order["spec"]), bare.limits)))
    except BaseException as error:  # noqa: BLE001 - border: sandbox child; SystemExit and KeyboardInterrupt too
        del reserve
        try:
            last = describe(error, frame=bare.heartbeat.frame)
        except MemoryError:
            os._exit(EXIT_NO_MEMORY)
    _send_last(bare, last)


def _send_last(context: Context[Spec], last: AnyMessage) -> NoReturn:
    flush_output()
    context.send(last)
    os._exit(0)
