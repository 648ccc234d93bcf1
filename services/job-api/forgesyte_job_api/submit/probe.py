"""Probes an upload before it becomes a job: in a sandbox, over both ends of the file, with limits on everything.

Whatever hostile media does to the sandbox, the client gets a sentence. The verdict covers only what can be seen at the
ends; the job itself judges the rest.
"""

from math import isfinite
from typing import Any

import structlog
from pydantic import ValidationError

from forgesyte_contracts.jobs import DecodeFacts
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import MediaLimits, ProbeSpec

from .mediakind import MediaKind
from .places import Places
from .upload_sample import SampledFile

log = structlog.get_logger(__name__)

_TRIES = 2
_MAX_TEXT_CHARS = 1000
_MAX_CODEC_CHARS = 64
_VERDICTS = (Code.MEDIA_INVALID, Code.MEDIA_TOO_LARGE, Code.REQUEST_INVALID)
_FACTS = ("codec", "fps", "fps_nominal", "video_stream", "rotation", "width", "height")


class Prober:
    """Probes uploads, at most `probes_at_once` at a time."""

    def __init__(self, zygote: Zygote, settings: JobApiSettings) -> None:
        self._zygote = zygote
        self._settings = settings
        self._places = Places(settings.probes_at_once, wait_s=settings.probe_wait_s)
        self._limits = Limits(
            probe_timeout_s=settings.probe_timeout_s,
            load_timeout_s=settings.probe_timeout_s,
            frame_timeout_s=settings.probe_timeout_s,
            job_timeout_s=settings.probe_timeout_s,
            load_memory_bytes=settings.probe_memory_bytes,
            memory_bytes=settings.probe_memory_bytes,
        )

    async def probe(self, sample: SampledFile, kind: MediaKind, *, video_stream: int | None = None) -> DecodeFacts:
        """Probe an upload.

        Args:
            sample: its two ends.
            kind: what it should be.
            video_stream: index of the stream that the job is to analyse; None leaves the choice.

        Returns:
            What the container and the first picture say; no frame was counted.

        Raises:
            ForgeSyteError: MEDIA_INVALID or MEDIA_TOO_LARGE with what was found and what is accepted; REQUEST_INVALID
                when the wanted stream is no video;
                TOO_MANY_REQUESTS when the wait for a turn was too long; SERVICE_UNAVAILABLE when there is no sandbox.
        """
        async with self._places.place("the upload", "to be probed"):
            outcome = await self._run(self._spec(sample, kind, video_stream))
        return self._judged(outcome, kind)

    def _spec(self, sample: SampledFile, kind: MediaKind, video_stream: int | None) -> ProbeSpec:
        settings = self._settings
        return ProbeSpec(
            input=str(sample.path),
            kind=kind.name,
            size_bytes=sample.size_bytes,
            holes=sample.holes,
            video_stream=video_stream,
            media=MediaLimits(
                max_side_px=settings.max_side_px,
                max_image_pixels=settings.max_image_pixels,
                max_frames=settings.max_frames,
                decode_memory_bytes=settings.decode_memory_bytes,
            ),
        )

    async def _run(self, spec: ProbeSpec) -> SandboxOutcome:
        for _ in range(_TRIES):
            outcome = await self._zygote.run(Order(spec, limits=self._limits))
            if not outcome.was_interrupted:  # the zygote died with it, and the next one is fresh
                return outcome
        raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "the upload could not be probed; try again shortly")

    def _judged(self, outcome: SandboxOutcome, kind: MediaKind) -> DecodeFacts:
        if outcome.ok:
            facts = _facts(outcome.result or {})
            if facts is not None:
                return facts
        elif outcome.kind == "failed" and outcome.code in _VERDICTS:
            raise ForgeSyteError(outcome.code, (outcome.error or "the media was refused")[:_MAX_TEXT_CHARS])
        log.warning(
            "probe failed",
            outcome=outcome.kind,
            error_type=outcome.error_type,
            error=outcome.error,
            traceback=outcome.traceback,
            log_tail=outcome.log_tail,
        )
        raise ForgeSyteError(Code.MEDIA_INVALID, f"{self._found(outcome)}; expected {kind.accepted}")

    def _found(self, outcome: SandboxOutcome) -> str:
        settings = self._settings
        if outcome.kind == "timeout":
            limit = f"{settings.probe_timeout_s:g} s"
            return f"probing the file took longer than {limit}, so it is damaged or malicious"
        if outcome.kind == "oom":
            allowed = f"{settings.probe_memory_bytes >> 20} MiB"
            return f"probing the file needed more memory than the {allowed} allowed, so it is damaged or malicious"
        if outcome.kind == "crashed":
            return "the file crashed the decoder, so it is damaged or malicious"
        return "no picture could be decoded from the file, so it is damaged or of another kind"


def _facts(result: dict[str, Any]) -> DecodeFacts | None:
    """Return the facts of a good file; None when they make no sense: media may have taken over its decoder."""
    try:
        facts = DecodeFacts.model_validate({name: result[name] for name in _FACTS if result.get(name) is not None})
    except ValidationError:
        return None
    rates = {name: value if isfinite(value) else None for name, value in facts if isinstance(value, float)}
    return facts.model_copy(update={"codec": facts.codec and facts.codec[:_MAX_CODEC_CHARS], **rates})
