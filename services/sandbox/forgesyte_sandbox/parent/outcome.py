"""How a run in the sandbox ended, as one plain value. Of the child it holds nothing but text and JSON."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from forgesyte_contracts.problems import Code

OutcomeKind = Literal["succeeded", "failed", "timeout", "oom", "crashed", "cancelled", "released", "surroundings"]


@dataclass(frozen=True, slots=True)
class SandboxOutcome:
    """The ending of one run; made for every ending, whatever the child did.

    Attributes:
        ok: whether the program reached its end.
        result: what the program returned (plain JSON); a failed run may have one too.
        error: the exact text of the exception, or a sentence on how the process ended; None when ok.
        error_type: the exception's class, or the kind; None when ok.
        execution_time_ms: from the fork to the verdict, monotonic, one decimal.
        kind: one of the attempts' outcomes that a sandbox can see. released: we ended the zygote, or nothing was
            started; surroundings: the zygote died or stalled under it, and any run on it may have done that.
        code: what went wrong; None when ok and when it was interrupted.
        frame: 0-based index of the frame it was at; None before the first.
        traceback: the child's traceback text, when an exception crossed.
        clause: what happened without frame, advice and full stop, for sentences of others; None when ok.
        log_tail: the last 2 KB of what the child wrote to stdout and stderr.
        start_ms: from the order to a loaded plugin that is sent its job, load included; None when the run ended before
            that, so that nothing of the job itself had been read.
        was_warm: whether it ran in a sandbox that was loaded already.
        decoding: 0-based index of the frame that was being decoded, when that and not the tools may have killed the
            sandbox; None otherwise.
        exit_code: of a process that ended before the parent killed it; below zero is the signal's number.
    """

    ok: bool
    result: dict[str, Any] | None
    error: str | None
    error_type: str | None
    execution_time_ms: float
    kind: OutcomeKind
    code: Code | None = None
    frame: int | None = None
    traceback: str | None = None
    clause: str | None = None
    log_tail: str = ""
    start_ms: float | None = None
    was_warm: bool = False
    exit_code: int | None = None
    decoding: int | None = None

    @property
    def was_interrupted(self) -> bool:
        """Whether it was cut off by what runs it and says nothing about what ran: it may be run again."""
        return self.kind in ("released", "surroundings")

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return asdict(self)
