"""Settles whether media or plugin killed a sandbox whose decoder was at work: by decoding once more without the plugin.

Some files make a decoder hang, crash or use all memory, and three of them must not disable a plugin. So a death that
the decoder may have caused is tried again in a sandbox of its own, under the same limits and past the frame at which it
died. If that ends the same way, the job fails by its own media, at once and whatever frames it may skip. If it passes,
the plugin did it, though only the decoder's memory may have suffered. A sandbox that another process killed proves
nothing about either, and is not tried.
"""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.specs import DecodeSpec, JobSpec

from .failure import Failure, failure_of

log = structlog.get_logger(__name__)

BEYOND_FRAMES = 64
"""A decoder works on some frames at once, because of its threads and of frames that are stored out of order: it may
have died at one of those behind the frame that was due."""

_TRIES = 2
_OF_MEDIA = (Code.MEDIA_INVALID, Code.MEDIA_TOO_LARGE)
_ADVICE = (
    "No plugin was at work, so the media is to blame. Encode it again and submit the copy; if it is only large, raise "
    "frame_timeout_s or memory_bytes of the runners."
)


@dataclass(frozen=True, slots=True)
class DecodeTrial:
    """What a trial needs.

    Attributes:
        record: the job's.
        spec: what the sandbox that died was asked.
        order: made for it; its limits and its cancel count here too.
        run: runs an order in a fresh sandbox.
    """

    record: JobRecord
    spec: JobSpec
    order: Order
    run: Callable[[Order], Awaitable[SandboxOutcome]]

    async def settle(self, outcome: SandboxOutcome) -> SandboxOutcome | Failure:
        """Return the failure of a job whose media killed its sandbox, or else the outcome.

        Its `decoding` is None from now on, unless what runs the sandboxes broke off the trial: then it is not known
        whose fault the death was.
        """
        if outcome.decoding is None:
            return outcome
        if self._was_killed_by_others(outcome):
            return replace(outcome, decoding=None)
        tried = await self._decode(outcome.decoding)
        log.info("decoded without the plugin", job_id=self.record.job_id, died=outcome.kind, alone=tried.kind)
        if tried.ok:
            return replace(outcome, decoding=None)
        if tried.was_interrupted or tried.kind == "cancelled":
            return outcome
        return failure_of_media(outcome, tried)

    async def _decode(self, frame: int) -> SandboxOutcome:
        asked = self.spec
        spec = DecodeSpec(asked.input, frame + 1 + BEYOND_FRAMES, asked.kind, media=asked.media)
        order = Order(spec, self.order.limits, cancel=self.order.cancel)
        for _ in range(_TRIES):
            tried = await self.run(order)
            if not tried.was_interrupted:
                break
        return tried

    def _was_killed_by_others(self, outcome: SandboxOutcome) -> bool:
        """Whether it died of a SIGKILL that was not the kernel's memory killer's."""
        attempt = self.record.attempts[-1]
        return outcome.exit_code == -signal.SIGKILL and circumstances_here().witnesses(attempt)


def failure_of_media(outcome: SandboxOutcome, tried: SandboxOutcome) -> Failure:
    """Explain a job whose media killed its sandbox.

    Args:
        outcome: how the job's sandbox died.
        tried: how decoding alone ended.
    """
    if tried.code in _OF_MEDIA:
        return replace(failure_of(tried, ""), log_tail=outcome.log_tail)
    frame = next(each for each in (tried.decoding, tried.frame, outcome.decoding, 0) if each is not None)
    clause = tried.clause or tried.error or f"decoding ended as {tried.kind}"
    text = f"At frame {frame}, decoding the media failed twice, the second time without the plugin: {clause}. {_ADVICE}"
    return Failure(Code.MEDIA_INVALID, tried.kind, text, frame, outcome.log_tail)
