"""Says in sentences why a job failed: what happened at which frame, what was expected, what to do next.

The text of a plugin's exception is passed on exactly; it is the plugin author's best hint.
"""

from dataclasses import dataclass

from forgesyte_contracts.jobs import AttemptOutcome, JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.outcome import SandboxOutcome

_ADVICE: dict[Code, str] = {
    Code.PLUGIN_ERROR: "Every frame was expected to give an output. Mend the plugin or its options, then submit again.",
    Code.MEDIA_INVALID: "Media with at least one picture that can be decoded was expected. Submit a file that opens.",
    Code.OPTIONS_INVALID: "The options were expected to fit the tool's schema. Change them and submit it again.",
    Code.PLUGIN_UNAVAILABLE: "The plugin was expected to be ready. Install what it lacks and submit it again.",
}

_MAX_TYPE_CHARS = 200

_DEATHS: dict[str, AttemptOutcome] = {
    "timeout": AttemptOutcome.TIMEOUT,
    "oom": AttemptOutcome.OOM,
    "crashed": AttemptOutcome.CRASHED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ends as failed. `frame` is 0-based, None when it was no frame's fault."""

    code: Code
    error_type: str
    message: str
    frame: int | None = None


def failure_of(outcome: SandboxOutcome, plugin: str) -> Failure:
    """Explain a sandbox outcome of kind `failed`."""
    code = outcome.code or Code.PLUGIN_ERROR
    name = (outcome.error_type or "Error")[:_MAX_TYPE_CHARS]
    text = (outcome.error or "no text was given").strip()
    where = f" at frame {outcome.frame}" if outcome.frame is not None else ""
    if code is Code.PLUGIN_ERROR:
        text = f"The plugin '{plugin}' raised {name}{where}: {text}"
    message = f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} {_ADVICE.get(code, '')}".strip()
    return Failure(code, name, message, outcome.frame)


def missing_input(job_id: str) -> Failure:
    """Explain a job whose media is not in the store any more."""
    text = f"The media of job {job_id} was expected in the store and is not there. Submit it again."
    return Failure(Code.MEDIA_INVALID, "BlobMissing", text)


def missing_device(record: JobRecord) -> Failure:
    """Explain a job that was sent to a kind of device which this runner does not have."""
    text = f"The job was sent to a {record.device} and its runner has none. Submit it again, with device auto or cpu."
    return Failure(Code.DEVICE_UNAVAILABLE, "DeviceUnavailable", text)


def death_of(outcome: SandboxOutcome) -> tuple[AttemptOutcome, str] | None:
    """Return the death an outcome stands for and what happened, as a clause; None when it is no death.

    The clause names no frame and gives no advice: the record's own sentence does.
    """
    death = _DEATHS.get(outcome.kind)
    if death is None:
        return None
    return death, outcome.clause or f"the sandbox ended as {outcome.kind}"
