"""Sentences and codes for the ways a sandbox can end. Pure: facts in, verdict out."""

import signal
from dataclasses import dataclass

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.exit_codes import EXIT_NO_MEMORY
from forgesyte_sandbox.shared.heartbeat import Step
from forgesyte_sandbox.shared.messages import Failed

from .outcome import OutcomeKind

_STEP_WORDS = {
    Step.LOAD: "loading the plugin",
    Step.PREPARE: "prepare()",
    Step.FRAME: "a frame",
    Step.DECODE: "a decode step",
    Step.FINALIZE: "finalize()",
    Step.WAIT: "waiting for a picture",
    Step.PROBE: "looking at the file",
    Step.BEGIN: "taking the job",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a run ended otherwise than well."""

    kind: OutcomeKind
    code: Code | None
    text: str
    error_type: str = ""
    frame: int | None = None
    traceback: str | None = None
    exit_code: int | None = None

    @property
    def name(self) -> str:
        """The exception's class, or the kind."""
        return self.error_type or self.kind


def too_slow(step: Step, limit_s: float, frame: int | None) -> Verdict:
    """A step took longer than its limit."""
    text = f"{_STEP_WORDS.get(step, step.name.lower())} took longer than its limit of {limit_s:g} s{_at(frame)}"
    return Verdict("timeout", Code.PLUGIN_TIMEOUT, f"{text}; everything of it was killed", frame=frame)


def too_long(limit_s: float, frame: int | None) -> Verdict:
    """The whole run took longer than its limit."""
    text = f"the job took longer than its limit of {limit_s:g} s{_at(frame)}; use a shorter input or raise the limit"
    return Verdict("timeout", Code.PLUGIN_TIMEOUT, text, frame=frame)


def too_much_memory(held_bytes: int, limit_bytes: int, frame: int | None) -> Verdict:
    """The group of processes holds more than it may."""
    text = f"{held_bytes >> 20} MiB of memory were in use, at most {limit_bytes >> 20} MiB are allowed{_at(frame)}"
    return Verdict("oom", Code.PLUGIN_OOM, f"{text}; use a smaller input or raise the memory limit", frame=frame)


def cancelled(frame: int | None) -> Verdict:
    """The caller asked for it."""
    return Verdict("cancelled", Code.CANCELLED, f"the run was cancelled{_at(frame)}", frame=frame)


def released(reason: str, frame: int | None) -> Verdict:
    """The sandbox ended for our own reasons; counts against nobody."""
    return Verdict("released", None, reason, frame=frame)


def broken_protocol(found: str, frame: int | None) -> Verdict:
    """The child sent what no child sends: somebody wrote on its pipe."""
    text = f"the sandbox broke the message protocol{_at(frame)}: {found}"
    return Verdict("crashed", Code.PLUGIN_CRASH, text, frame=frame)


def raised(failed: Failed, frame: int | None) -> Verdict:
    """An exception crossed as text; want of memory is a death like any other."""
    frame = failed.frame if failed.frame is not None else frame
    traceback = failed.traceback or None
    if failed.oom:
        text = f"memory was refused{_at(frame)}: {failed.error_type}: {failed.error}"
        return Verdict("oom", Code.PLUGIN_OOM, text, frame=frame, traceback=traceback)
    return Verdict("failed", failed.code, failed.error, failed.error_type, frame, traceback)


def died(exit_code: int, frame: int | None, log_tail: str) -> Verdict:
    """The process ended without a last message, by itself or by somebody else's signal.

    Args:
        exit_code: as subprocess gives it: below zero is the signal's number.
        frame: the frame it was at.
        log_tail: what it wrote last.
    """
    if exit_code == EXIT_NO_MEMORY or (exit_code == -signal.SIGABRT and "std::bad_alloc" in log_tail):
        return Verdict("oom", Code.PLUGIN_OOM, f"memory was refused{_at(frame)} and the process ended", frame=frame)
    how = f"was ended by {_signal_name(-exit_code)}" if exit_code < 0 else f"ended by itself with exit code {exit_code}"
    text = f"the sandbox {how}{_at(frame)} before it was done"
    if last := log_tail.strip()[-300:]:
        text = f"{text}; its last output: {last}"
    return Verdict("crashed", Code.PLUGIN_CRASH, text, frame=frame, exit_code=exit_code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _at(frame: int | None) -> str:
    return "" if frame is None else f" at frame {frame}"
