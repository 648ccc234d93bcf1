"""The annotated video of a job: drawn in the sandbox when it is first requested, kept in the store."""

import asyncio
from pathlib import Path

import structlog

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.segments import read_rows
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.subjects import annotated_blob
from forgesyte_sandbox.shared.specs import AnnotateSpec

from .workshop import Studio, Tell, Underway

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 1024 * 1024
_OUTPUT = "annotated.mp4"


class Annotator:
    """The craft of drawing annotated videos of ended jobs; what it makes is told by its size in bytes."""

    thing = "annotated video"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._places = asyncio.Semaphore(studio.settings.annotate_at_once)

    async def kept(self, record: JobRecord) -> int | None:
        """Return the size of the video that is in the store."""
        return await self._studio.store.size(annotated_blob(JobId(record.job_id)))

    def begins_quickly(self, record: JobRecord) -> bool:
        """Return False: to draw is all there is to do."""
        return False

    async def make(self, record: JobRecord, underway: Underway) -> int:
        """Draw the video when it is its turn, and keep it."""
        async with self._studio.blaming_the_disk(thing=self.thing, job_id=JobId(record.job_id)), self._places:
            size = await self.kept(record)
            return await self._draw(record, underway.tell) if size is None else size

    async def _draw(self, record: JobRecord, tell: Tell) -> int:
        studio, job_id = self._studio, JobId(record.job_id)
        async with studio.scratch.folder("annotate") as folder:
            await studio.fetch_input(folder / "input", files=2, thing=self.thing, job_id=job_id)
            await _write_rows(studio.store, record, folder / "rows.jsonl")
            spec = AnnotateSpec(
                input=str(folder / "input"),
                rows=str(folder / "rows.jsonl"),
                tools=record.tools,
                output=_OUTPUT,
                kind=record.job_type.kind,
                video_stream=record.video_stream,
                media=studio.media_limits,
            )
            await studio.run(spec, folder, tell, thing=self.thing, job_id=job_id)
            size = await studio.keep(annotated_blob(job_id), folder / _OUTPUT, thing=self.thing, job_id=job_id)
        log.info("annotated video made", job_id=job_id, bytes=size)
        return size


async def _write_rows(store: Store, record: JobRecord, path: Path) -> None:
    with await asyncio.to_thread(path.open, "wb") as file:
        batch = bytearray()
        async for row in read_rows(store, record):
            batch += row + b"\n"
            if len(batch) >= _CHUNK_BYTES:
                await asyncio.to_thread(file.write, bytes(batch))
                batch.clear()
        await asyncio.to_thread(file.write, bytes(batch))
