"""The annotated video of a job: drawn in the sandbox when it is first requested, kept in the store, made once.

Requests that arrive while it is being made wait for the same result; one that is cancelled does not affect the others,
and the video is kept for later requests. A few are made at a time and a bounded number wait, because each takes a core
and space in the scratch folder for the input, the rows and the video.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from forgesyte_chassis.disk_watch import scratch_unwritable
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_chassis.store.segments import read_rows
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import annotated_blob, input_blob
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import AnnotateSpec, MediaLimits

log = structlog.get_logger(__name__)

MAX_WAITING = 32
"""How many videos may be in the making or waiting; requests for more are refused with 429."""

_CHUNK_BYTES = 1024 * 1024
_OUTPUT = "annotated.mp4"


@dataclass(frozen=True, slots=True)
class Studio:
    """What a video is made with."""

    store: Store
    scratch: Scratch
    zygote: Zygote
    settings: JobApiSettings


class Annotator:
    """Makes the annotated videos of ended jobs. Opened by `async with Annotator.open(...)`."""

    def __init__(self, group: asyncio.TaskGroup, studio: Studio) -> None:
        self._group = group
        self._studio = studio
        self._places = asyncio.Semaphore(studio.settings.annotate_at_once)
        self._making: dict[JobId, asyncio.Task[int | ForgeSyteError]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, studio: Studio) -> "AsyncIterator[Annotator]":
        """Make videos while the block runs; those unfinished at its end are abandoned."""
        async with asyncio.TaskGroup() as group:
            annotator = cls(group, studio)
            try:
                yield annotator
            finally:
                for making in annotator._making.values():
                    making.cancel()

    async def size_of(self, record: JobRecord) -> int:
        """Make sure that the annotated video of an ended job is in the store, and return its size in bytes.

        Raises:
            ForgeSyteError: JOB_UNKNOWN when the input is gone, TOO_MANY_REQUESTS, STORAGE_FULL, SERVICE_UNAVAILABLE, or
                the code of what went wrong in the sandbox.
        """
        job_id = JobId(record.job_id)
        size = await self._studio.store.size(annotated_blob(job_id))
        if size is not None:
            return size
        making = self._making.get(job_id) or self._begin(job_id, record)
        await asyncio.wait([making])  # only waits: a request that is cancelled does not cancel the task
        if making.cancelled():
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "the service is stopping; try again shortly", job_id=job_id)
        made = making.result()
        if isinstance(made, ForgeSyteError):
            raise made
        return made

    def _begin(self, job_id: JobId, record: JobRecord) -> "asyncio.Task[int | ForgeSyteError]":
        if len(self._making) >= MAX_WAITING:
            text = f"{MAX_WAITING} annotated videos are already being made; try again shortly"
            raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text, job_id=job_id)
        making = self._group.create_task(self._make(job_id, record), name=f"annotate {job_id}")
        self._making[job_id] = making
        return making

    async def _make(self, job_id: JobId, record: JobRecord) -> int | ForgeSyteError:
        """Return the size or the fault: an exception would end every other task of the group."""
        try:
            async with self._places:
                size = await self._studio.store.size(annotated_blob(job_id))
                return await _draw(self._studio, job_id, record) if size is None else size
        except ForgeSyteError as fault:
            log.warning("annotated video not made", job_id=job_id, code=fault.code, error=fault.detail)
            return fault
        except BlobMissing:
            return ForgeSyteError(
                Code.JOB_UNKNOWN, f"the input or the rows of job {job_id} no longer exist", job_id=job_id
            )
        except OSError as fault:
            log.error("annotated video not made", job_id=job_id, error=str(fault))
            return scratch_unwritable("the annotated video cannot be made", fault, job_id=job_id)
        except Exception:  # border: HTTP handler; the waiting requests answer INTERNAL, which shows no text
            log.exception("annotated video not made", job_id=job_id)
            return ForgeSyteError(Code.INTERNAL, "the annotated video could not be made", job_id=job_id)
        finally:
            del self._making[job_id]


async def _draw(studio: Studio, job_id: JobId, record: JobRecord) -> int:
    async with studio.scratch.folder("annotate") as folder:
        await studio.store.fetch_to(input_blob(job_id), folder / "input")
        await _write_rows(studio.store, record, folder / "rows.jsonl")
        spec = AnnotateSpec(
            input=str(folder / "input"),
            rows=str(folder / "rows.jsonl"),
            tools=record.tools,
            output=_OUTPUT,
            kind=record.job_type.kind,
            video_stream=record.video_stream,
            media=MediaLimits(studio.settings.max_side_px, studio.settings.max_image_pixels),
        )
        outcome = await studio.zygote.run(Order(spec, limits=_limits(studio.settings), folder=folder))
        if not outcome.ok:
            raise _fault_of(outcome, job_id)
        size = await studio.store.put_stream(annotated_blob(job_id), _pieces(folder / _OUTPUT))
        log.info("annotated video made", job_id=job_id, bytes=size, elapsed_ms=outcome.execution_time_ms)
        return size


def _limits(settings: JobApiSettings) -> Limits:
    # At the end the index moves to the front of the video, for which the whole file is written once more.
    limit_s = settings.annotate_timeout_s
    return Limits(job_timeout_s=limit_s, finalize_timeout_s=limit_s, memory_bytes=settings.annotate_memory_bytes)


async def _write_rows(store: Store, record: JobRecord, path: Path) -> None:
    with await asyncio.to_thread(path.open, "wb") as file:
        batch = bytearray()
        async for row in read_rows(store, record):
            batch += row + b"\n"
            if len(batch) >= _CHUNK_BYTES:
                await asyncio.to_thread(file.write, bytes(batch))
                batch.clear()
        await asyncio.to_thread(file.write, bytes(batch))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield piece


def _fault_of(outcome: SandboxOutcome, job_id: JobId) -> ForgeSyteError:
    text = f"the annotated video could not be made: {outcome.error}"
    return ForgeSyteError(outcome.code or Code.SERVICE_UNAVAILABLE, text, job_id=job_id)
