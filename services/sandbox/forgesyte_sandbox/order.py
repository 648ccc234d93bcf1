"""What a caller asks of a sandbox, and what the parent says to the child for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .limits import Limits
from .messages import GO, SPEC, Message
from .pipe import frame_bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for."""

    program: str
    spec: dict[str, Any]
    limits: Limits
    scratch: Path
    on_message: Callable[[Message], Awaitable[None] | None]
    on_started: Callable[[int], None]
    cancel: asyncio.Event | None
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
