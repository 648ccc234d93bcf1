"""Explains in sentences why a job failed: what happened at which frame, what was expected, what to do next.

The text of a plugin's exception is passed on verbatim; it is the plugin author's best hint.
"""

import re
from dataclasses import dataclass

from forgesyte_contracts.jobs import AttemptOutcome, JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.outcome import SandboxOutcome

_ADVICE: dict[Code, str] = {
    Code.PLUGIN_ERROR: "Every frame must produce an output. Fix the plugin or its options and submit again.",
    Code.MEDIA_INVALID: "Media must hold at least one picture that can be decoded. Submit a file that opens.",
    Code.OPTIONS_INVALID: "The options must match the tool's schema. Change them and submit again.",
    Code.PLUGIN_UNAVAILABLE: "The plugin must be ready to run. Install what it lacks and submit again.",
}

_REFUSED_ADVICE = (
    "The sandbox refuses plugin code sockets (multiprocessing.Manager opens one), shells and other programs, and files "
    "outside its folder; 'What your code may do' in docs/writing-a-plugin.md says what works instead. Change the "
    "plugin and submit again."
)
_REFUSAL = "PermissionError"
_REFUSAL_ELSEWHERE = re.compile(rf"^{_REFUSAL}: \[Errno (1|13)\]", re.MULTILINE)
"""How Python prints it: as a cause, or in a process that the plugin started, of which it sees a lost pipe alone."""

_MAX_TYPE_CHARS = 200

_DEATHS: dict[str, AttemptOutcome] = {
    "timeout": AttemptOutcome.TIMEOUT,
    "oom": AttemptOutcome.OOM,
    "crashed": AttemptOutcome.CRASHED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ends as failed. `frame` is 0-based; None when no frame caused it. `log_tail` is what its sandbox wrote
    last.
    """

    code: Code
    error_type: str
    message: str
    frame: int | None = None
    log_tail: str = ""


def failure_of(outcome: SandboxOutcome, plugin: str) -> Failure:
    """Explain a sandbox outcome of kind `failed`."""
    code = outcome.code or Code.PLUGIN_ERROR
    name = (outcome.error_type or "Error")[:_MAX_TYPE_CHARS]
    text = (outcome.error or "(no message)").strip()
    where = f" at frame {outcome.frame}" if outcome.frame is not None else ""
    if code is Code.PLUGIN_ERROR:
        text = f"The plugin '{plugin}' raised {name}{where}: {text}"
    advice = _REFUSED_ADVICE if _may_be_refused(outcome) else _ADVICE.get(code, "")
    message = f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} {advice}".strip()
    return Failure(code, name, message, outcome.frame, outcome.log_tail)


def _may_be_refused(outcome: SandboxOutcome) -> bool:
    if outcome.code is not Code.PLUGIN_ERROR:
        return False
    said = (outcome.traceback or "", outcome.log_tail)
    return outcome.error_type == _REFUSAL or any(_REFUSAL_ELSEWHERE.search(text) for text in said)


def missing_input(job_id: str) -> Failure:
    """Explain a job whose media is no longer in the store."""
    text = f"The media of job {job_id} is no longer in the store. Submit it again."
    return Failure(Code.MEDIA_INVALID, "BlobMissing", text)


def missing_device(record: JobRecord) -> Failure:
    """Explain a job that was sent to a kind of device this runner does not have."""
    text = f"The job requires a {record.device}, but its runner has none. Submit it again with device auto or cpu."
    return Failure(Code.DEVICE_UNAVAILABLE, "DeviceUnavailable", text)


def death_of(outcome: SandboxOutcome) -> tuple[AttemptOutcome, str] | None:
    """Return the death an outcome stands for and what happened, as a clause; None when it is not a death.

    The clause names no frame and gives no advice: the record's own sentence does both.
    """
    death = _DEATHS.get(outcome.kind)
    if death is None:
        return None
    return death, outcome.clause or f"the sandbox ended as {outcome.kind}"
