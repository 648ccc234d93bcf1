"""What a browser shows of a job: the input itself where it can, else a copy with the same frames, made in the sandbox.

Which of the two it is, is judged when it is first requested and kept. A quick judgement (the job has decoded the input
to its end and found it as it states, so that the headers and packets settle it) waits for other quick ones alone. Any
other decodes the input as well, and waits for others that do, never for a copy. The facts are written last, so that a
copy without them is an unfinished one and is made again. An input that other rules have let through is judged again; a
copy is right whatever rules asked for it.
"""

import asyncio
from typing import Any

import structlog
from pydantic import BaseModel, Field, ValidationError

from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import playable_blob, playable_facts_blob, playable_times_blob
from forgesyte_sandbox.shared.specs import PLAYABLE_RULES, PlayableCopySpec, PlayableSpec

from .playable_facts import MediaType, PlayableFacts
from .playable_times import packed_times
from .workshop import Studio, Tell, Underway

log = structlog.get_logger(__name__)

_OUTPUT, _TIMES = "playable", "playable.times"
_CHECKED_PERCENT = 30
"""How much of the work a check by decoding is where a copy follows it."""


class PlayableMaker:
    """The craft of finding or making what browsers show of a job."""

    thing = "playable copy"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._quick_places = asyncio.Semaphore(studio.settings.probes_at_once)
        self._check_places = asyncio.Semaphore(studio.settings.playable_at_once)
        self._places = asyncio.Semaphore(studio.settings.playable_at_once)

    async def kept(self, record: JobRecord) -> PlayableFacts | None:
        """Return what was judged and made before; None when it no longer holds, or the copy was lost."""
        store, job_id = self._studio.store, JobId(record.job_id)
        try:
            facts = PlayableFacts.model_validate_json(await store.get(playable_facts_blob(job_id)))
        except (BlobMissing, ValidationError):  # none, or one that another version wrote
            return None
        if facts.shows == "copy":
            return None if await store.size(playable_blob(job_id)) is None else facts
        return facts if facts.rules == PLAYABLE_RULES else None

    def begins_quickly(self, record: JobRecord) -> bool:
        """Whether the headers and packets of the input settle whether browsers show it."""
        return decoded_whole(record)

    async def make(self, record: JobRecord, underway: Underway) -> PlayableFacts:
        """Judge the input, and copy it where browsers do not show it."""
        async with self._studio.blaming_the_disk(thing=self.thing, job_id=JobId(record.job_id)):
            return await self._make(record, underway)

    async def _make(self, record: JobRecord, underway: Underway) -> PlayableFacts:
        is_known_whole, check = underway.is_quick, _Check(underway.tell)
        async with self._quick_places if is_known_whole else self._check_places:
            kept = await self.kept(record)
            if kept is not None:
                return kept
            verdict = await self._judge(record, check.tell, is_known_whole=is_known_whole)
        if verdict.media_type is not None:
            return await self._keep_input(record, verdict.media_type)
        underway.become_long()
        async with self._places:
            kept = await self.kept(record)
            return kept or await self._copy(record, verdict.because, check.tell_the_rest)

    async def _judge(self, record: JobRecord, tell: Tell, *, is_known_whole: bool) -> "_Verdict":
        studio, job_id = self._studio, JobId(record.job_id)
        async with studio.scratch.folder("playable") as folder:
            await studio.fetch_input(folder / "input", files=1, thing=self.thing, job_id=job_id)
            spec = PlayableSpec(
                input=str(folder / "input"),
                is_known_whole=is_known_whole,
                kind=record.job_type.kind,
                video_stream=record.video_stream,
                media=studio.media_limits,
            )
            return _read(_Verdict, await studio.run(spec, None, tell, thing=self.thing, job_id=job_id))

    async def _keep_input(self, record: JobRecord, media_type: MediaType) -> PlayableFacts:
        log.info("input is playable", job_id=record.job_id, media_type=media_type)
        return await self._keep(record, PlayableFacts(rules=PLAYABLE_RULES, shows="input", media_type=media_type))

    async def _copy(self, record: JobRecord, because: str | None, tell: Tell) -> PlayableFacts:
        studio, job_id, kind = self._studio, JobId(record.job_id), record.job_type.kind
        async with studio.scratch.folder("playable") as folder:
            await studio.fetch_input(folder / "input", files=2, thing=self.thing, job_id=job_id)
            spec = PlayableCopySpec(
                input=str(folder / "input"),
                output=_OUTPUT,
                times=_TIMES,
                kind=kind,
                video_stream=record.video_stream,
                media=studio.media_limits,
            )
            result = await studio.run(spec, folder, tell, thing=self.thing, job_id=job_id)
            media_type = "image/png" if kind == "image" else "video/mp4"
            ours = {"rules": PLAYABLE_RULES, "shows": "copy", "because": because, "media_type": media_type}
            facts = _read(PlayableFacts, {**result, **ours})
            table = await asyncio.to_thread(packed_times, record, facts, folder / _TIMES)
            await studio.store.put(playable_times_blob(job_id), table)
            size = await studio.keep(playable_blob(job_id), folder / _OUTPUT, thing=self.thing, job_id=job_id)
        log.info("playable copy made", job_id=job_id, because=because, frames=facts.frames, bytes=size)
        return await self._keep(record, facts)

    async def _keep(self, record: JobRecord, facts: PlayableFacts) -> PlayableFacts:
        await self._studio.store.put(playable_facts_blob(JobId(record.job_id)), facts.model_dump_json().encode())
        return facts


def decoded_whole(record: JobRecord) -> bool:
    """Whether the job has decoded its input to the end, and every picture was as the file states it."""
    return record.decode is not None and record.decode.as_stated is True


class _Verdict(BaseModel):
    media_type: MediaType | None
    because: str | None = Field(default=None, max_length=1000)


class _Check:
    """Tells of two pieces of work as of one: a check, which may be over at once, and the copy behind it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._begins = 0

    def tell(self, percent: int) -> None:
        self._begins = _CHECKED_PERCENT
        self._tell(percent * _CHECKED_PERCENT // 100)

    def tell_the_rest(self, percent: int) -> None:
        self._tell(self._begins + percent * (100 - self._begins) // 100)


def _read[M: BaseModel](model: type[M], result: dict[str, Any]) -> M:
    """Read what a sandbox reports; the media may have taken it over."""
    try:
        return model.model_validate(result)
    except ValidationError as error:
        text = f"the playable copy could not be made: its sandbox reported nonsense ({error.error_count()} errors)"
        raise ForgeSyteError(Code.MEDIA_INVALID, text) from None
