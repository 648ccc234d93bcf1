"""What a caller asks of a sandbox, and what the parent says to the child for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import GO, SPEC, Message
from forgesyte_sandbox.shared.pipe import frame_bytes


def ignore(_: object) -> None:
    """Do nothing with what a run tells."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for.

    Attributes:
        program: a module of `programs`: `manifest`, `job`, `probe`, `annotate`. A warm sandbox knows `job` alone.
        spec: what the program needs, plain JSON.
        limits: seconds and bytes it may take. In a warm sandbox `memory_bytes` counts from the state after load; what
            limits load and the processes is taken from the order for which the sandbox was made.
        scratch: an existing folder; the child's working, home and temporary folder. A warm sandbox leaves it when the
            job is over.
        on_message: called for each message in order. While it is busy the child's writes block, and that time counts
            against no step. What it raises ends the run and is raised to the caller.
        on_started: called with the sandbox's process id; called again when a warm sandbox turned out dead before it
            took the job.
        cancel: set it to have everything killed at once; the outcome is then `cancelled`.
        is_watched: asked a few times a second whether somebody wants previews; None never does.
    """

    program: str
    spec: dict[str, Any]
    limits: Limits
    scratch: Path
    on_message: Callable[[Message], Awaitable[None] | None] = ignore
    on_started: Callable[[int], None] = ignore
    cancel: asyncio.Event | None = None
    is_watched: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """What the parent says in a run, and what it leaves behind.

    Attributes:
        load: what has a sandbox load; one that is loaded is not told it.
        go: what is sent when it is loaded.
        is_warm: whether the sandbox may live on.
    """

    load: bytes
    go: bytes
    is_warm: bool

    @classmethod
    def fresh(cls, order: Order) -> "Script":
        """A sandbox for this order alone."""
        return cls(_load_frame(order.program, order.spec, order.limits), frame_bytes(GO, b""), is_warm=False)

    @classmethod
    def warm(cls, order: Order) -> "Script":
        """A job in a sandbox that is warm, or gets warm first."""
        facts = {"spec": order.spec, "limits": order.limits.as_dict(), "scratch": str(order.scratch)}
        return cls(_load_frame("warm", order.spec, order.limits), frame_bytes(GO, orjson.dumps(facts)), is_warm=True)


def _load_frame(program: str, spec: dict[str, Any], limits: Limits) -> bytes:
    return frame_bytes(SPEC, orjson.dumps({"program": program, "spec": spec, "limits": limits.as_dict()}))
