"""What a caller asks of a sandbox, and what the parent sends to the child for it."""

import asyncio
import resource
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import GO, SPEC, Message
from forgesyte_sandbox.shared.pipe import frame_bytes
from forgesyte_sandbox.shared.specs import JobSpec, Spec
from forgesyte_sandbox.shared.wall_rules import NO_GRANTS, Grants


def ignore(_: object) -> None:
    """Do nothing with what a run reports."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for.

    Attributes:
        spec: what is asked; its class says which program. A warm sandbox takes a JobSpec alone.
        limits: seconds and bytes it may take. In a warm sandbox `memory_bytes` counts from the state after load; the
            limits on load and processes are those of the order for which the sandbox was made.
        folder: where the files are put that the program leaves, when it ends well; an existing folder that no child
            ever sees. None where it leaves none.
        grants: what its sandbox may use beyond its home; in a warm sandbox, those of the order for which it was made.
        on_message: called for each message in order. While it is busy the child's writes block, and that time counts
            against no step. What it raises ends the run and propagates to the caller.
        on_started: called with the sandbox's process id; called again when a warm sandbox had died before it took
            the job.
        on_watch: called at the start of a run with a function that returns how many seconds the step under way may
            still take, or None; called again at the end of the run, from when on only the new function may be called.
        cancel: setting it kills the sandbox at once; the outcome is then `cancelled`.
        is_watched: called a few times per second; True asks for previews. None never asks.
    """

    spec: Spec
    limits: Limits
    folder: Path | None = None
    grants: Grants = NO_GRANTS
    on_message: Callable[[Message], Awaitable[None] | None] = ignore
    on_started: Callable[[int], None] = ignore
    on_watch: Callable[[Callable[[], float | None]], None] = ignore
    cancel: asyncio.Event | None = None
    is_watched: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.spec.OUTPUTS and self.folder is None:
            raise TypeError(f"{type(self.spec).__name__} leaves files; the order names no folder for them")

    @property
    def program(self) -> str:
        """The module of `child.programs` that is asked."""
        return self.spec.PROGRAM


@dataclass(frozen=True, slots=True)
class Script:
    """What the parent sends in a run, and whether the sandbox outlives it.

    Attributes:
        load: what makes a sandbox load its plugin; a loaded sandbox is not sent it.
        job: what is sent once it is loaded, besides its memory limit.
        is_warm: whether the sandbox may live on.
    """

    load: bytes
    job: Mapping[str, Any]
    is_warm: bool

    @classmethod
    def fresh(cls, order: Order) -> "Script":
        """A run in a sandbox of its own."""
        return cls(_load_frame(order.spec, order), {}, is_warm=False)

    @classmethod
    def warm(cls, order: Order) -> "Script":
        """A job in a warm sandbox, which may have to load its plugin first.

        Raises:
            TypeError: the order is no job.
        """
        if not isinstance(order.spec, JobSpec):
            raise TypeError(f"expected a JobSpec for a warm sandbox, found {type(order.spec).__name__}")
        facts = {"spec": order.spec.to_dict(), "limits": order.limits.as_dict()}
        load = _load_frame(order.spec.warm(), order)
        return cls(load, facts, is_warm=True)

    def go(self, data_limit: int) -> bytes:
        """Return the frame that lets the job begin, with the limit that the child sets itself (RLIMIT_DATA, bytes)."""
        return frame_bytes(GO, orjson.dumps({**self.job, "data_limit": data_limit}))


def _load_frame(spec: Spec, order: Order) -> bytes:
    # Fewer descriptors than this process may have: it must be able to read what a child sends.
    most = max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1)
    limits = replace(order.limits, open_files=min(order.limits.open_files, most))
    facts = {
        "program": spec.PROGRAM,
        "spec": spec.to_dict(),
        "limits": limits.as_dict(),
        "grants": order.grants.as_dict(),
    }
    return frame_bytes(SPEC, orjson.dumps(facts))
