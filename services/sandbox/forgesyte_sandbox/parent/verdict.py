"""Sentences and codes for the ways a sandbox can end. Pure: facts in, verdict out."""

import signal
from dataclasses import dataclass

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.disk_usage import DiskUsage
from forgesyte_sandbox.shared.exit_codes import EXIT_NO_MEMORY
from forgesyte_sandbox.shared.heartbeat import Step
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import Failed

from .outcome import OutcomeKind

_WRITE_LESS = "have the plugin write less, for which it may have options, or raise the runner's setting"
_STEP_WORDS = {
    Step.LOAD: "loading the plugin",
    Step.PREPARE: "prepare()",
    Step.FRAME: "processing a frame",
    Step.DECODE: "a decode step",
    Step.FINALIZE: "finalize()",
    Step.WAIT: "waiting for a decoded frame",
    Step.PROBE: "examining the file",
    Step.BEGIN: "accepting the job",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a run ended otherwise than well.

    Attributes:
        kind: how it ended.
        code: what went wrong; None when it was interrupted.
        text: the whole sentence, with the frame and what to do next.
        clause: what happened and nothing else, for sentences of others: no frame, no advice, no full stop.
        error_type: the exception's class, when one was raised.
        frame: 0-based index of the frame it was at; None before the first.
        traceback: the child's, when an exception crossed.
        exit_code: of a process that ended by itself.
        step: what took too long, where that is why.
    """

    kind: OutcomeKind
    code: Code | None
    text: str
    clause: str
    error_type: str = ""
    frame: int | None = None
    traceback: str | None = None
    exit_code: int | None = None
    step: Step | None = None

    @property
    def may_be_decoding(self) -> bool:
        """Whether a decoder that was at work may have caused it, as it may cause a death that nothing else explains."""
        if self.kind == "timeout":
            return self.step is Step.DECODE
        return self.kind == "oom" or (self.kind == "crashed" and self.exit_code is not None)

    @property
    def name(self) -> str:
        """The exception's class, or the kind."""
        return self.error_type or self.kind


def too_slow(step: Step, limit_s: float, frame: int | None) -> Verdict:
    """A step took longer than its limit."""
    clause = f"{_STEP_WORDS.get(step, step.name.lower())} took longer than its limit of {limit_s:g} s"
    text = f"{clause}{_at(frame)}; its process group was killed"
    return Verdict("timeout", Code.PLUGIN_TIMEOUT, text, clause, frame=frame, step=step)


def too_long(limit_s: float, frame: int | None) -> Verdict:
    """The whole run took longer than its limit."""
    clause = f"the job took longer than its limit of {limit_s:g} s"
    text = f"{clause}{_at(frame)}; use a shorter input or raise the limit"
    return Verdict("timeout", Code.PLUGIN_TIMEOUT, text, clause, frame=frame)


def too_much_memory(held_bytes: int, limit_bytes: int, frame: int | None) -> Verdict:
    """The process group holds more memory than it may."""
    what, rest = f"{held_bytes >> 20} MiB of memory were in use", f" (limit: {limit_bytes >> 20} MiB)"
    text = f"{what}{_at(frame)}{rest}; use a smaller input or raise the memory limit"
    return Verdict("oom", Code.PLUGIN_OOM, text, f"{what}{rest}", frame=frame)


def too_much_disk(found: DiskUsage, limits: Limits, frame: int | None) -> Verdict:
    """The sandbox keeps more in its scratch folder than it may."""
    if found.bytes > limits.scratch_bytes:
        what, rest = f"{found.bytes >> 20} MiB on disk were in use", f" (limit: {limits.scratch_bytes >> 20} MiB)"
        text = f"{what}{_at(frame)}{rest}; {_WRITE_LESS} scratch_bytes"
    elif found.hidden:
        what, rest = found.hidden, ""
        text = (
            f"{what}{_at(frame)}, so what the plugin keeps on disk cannot be measured; have it leave its folders "
            "readable and nest them less deeply"
        )
    else:
        what, rest = f"more than {limits.scratch_files} files and folders were made", ""
        text = f"{what}{_at(frame)} in the scratch folder; {_WRITE_LESS} scratch_files"
    return Verdict("failed", Code.DISK_LIMIT, text, f"{what}{rest}", error_type="DiskLimit", frame=frame)


def _disk_refused(failed: Failed, limits: Limits, frame: int | None) -> Verdict:
    found = f"{failed.error_type}: {failed.error}"
    what = f"a file on disk may not grow beyond the limit of {limits.scratch_bytes >> 20} MiB"
    text = f"{what}{_at(frame)}: {_open(found)}; {_WRITE_LESS} scratch_bytes"
    return Verdict(
        "failed", Code.DISK_LIMIT, text, f"{what}: {_open(found)}", error_type="DiskLimit", frame=frame,
        traceback=failed.traceback or None,
    )  # fmt: skip


def cancelled(frame: int | None) -> Verdict:
    """The caller asked for it."""
    clause = "the run was cancelled"
    return Verdict("cancelled", Code.CANCELLED, f"{clause}{_at(frame)}", clause, frame=frame)


def released(reason: str, frame: int | None) -> Verdict:
    """The sandbox ended for our own reasons; neither the job nor its plugin is to blame."""
    return Verdict("released", None, reason, reason, frame=frame)


def surroundings(reason: str, frame: int | None) -> Verdict:
    """What runs all sandboxes died or stalled under this one; this run or any other on it may be to blame."""
    return Verdict("surroundings", None, f"{reason}{_at(frame)}", reason, frame=frame)


def broken_protocol(found: str, frame: int | None) -> Verdict:
    """The child sent what no child of ours sends: plugin code wrote on its pipe."""
    what = "the sandbox broke the message protocol"
    return Verdict("crashed", Code.PLUGIN_CRASH, f"{what}{_at(frame)}: {found}", f"{what}: {_open(found)}", frame=frame)


def raised(failed: Failed, frame: int | None, limits: Limits) -> Verdict:
    """An exception crossed as text; running out of memory is a death like any other."""
    frame = failed.frame if failed.frame is not None else frame
    if failed.disk:
        return _disk_refused(failed, limits, frame)
    traceback = failed.traceback or None
    if failed.oom:
        what, found = "memory was refused", f"{failed.error_type}: {failed.error}"
        clause = f"{what}: {_open(found)}"
        return Verdict("oom", Code.PLUGIN_OOM, f"{what}{_at(frame)}: {found}", clause, frame=frame, traceback=traceback)
    return Verdict(
        "failed",
        failed.code,
        failed.error,
        _open(failed.error),
        error_type=failed.error_type,
        frame=frame,
        traceback=traceback,
    )


def died(exit_code: int, frame: int | None, log_tail: str, limits: Limits) -> Verdict:
    """The process ended without a last message, by itself or by a signal that the parent did not send.

    Args:
        exit_code: as subprocess gives it: below zero is the signal's number.
        frame: the frame it was at.
        log_tail: what it wrote last.
        limits: what it was allowed.
    """
    if exit_code == -signal.SIGXFSZ:
        return _disk_refused(Failed(Code.DISK_LIMIT, "SIGXFSZ", "the kernel ended the process"), limits, frame)
    if exit_code == EXIT_NO_MEMORY or (exit_code == -signal.SIGABRT and "std::bad_alloc" in log_tail):
        what, rest = "memory was refused", " and the process ended"
        return Verdict("oom", Code.PLUGIN_OOM, f"{what}{_at(frame)}{rest}", f"{what}{rest}", frame=frame)
    how = f"was killed by {_signal_name(-exit_code)}" if exit_code < 0 else f"exited with code {exit_code}"
    what, rest = f"the sandbox {how}", " before it finished"
    last = log_tail.strip()[-300:]
    text = f"{what}{_at(frame)}{rest}" + (f"; its last output: {last}" if last else "")
    return Verdict("crashed", Code.PLUGIN_CRASH, text, f"{what}{rest}", frame=frame, exit_code=exit_code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _at(frame: int | None) -> str:
    return "" if frame is None else f" at frame {frame}"


def _open(text: str) -> str:
    """Return a text that another sentence may go on with."""
    return text.strip().rstrip(".")
