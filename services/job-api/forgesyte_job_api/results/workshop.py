"""Makes files of jobs when they are first requested: one making per job, however many requests ask for it.

Requests that arrive meanwhile share it, those that wait for it and those that only ask how far it is. One that is
cancelled does not affect the others, and the file is kept for later requests. A bounded number may be in the making or
wait for their turn, because each takes a core and space in the scratch folder; how many are made at once is the craft's
to say. What is quick is counted apart from what is long, so that neither is refused because of the other. What went
wrong is kept for a while and told to all who only ask; who waits has it made again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import structlog

from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch, scratch_unwritable
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import BlobMissing, Store, StoreUnavailable
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import Message, Progress
from forgesyte_sandbox.shared.specs import MediaLimits, Spec

from .faults import KeptFaults

log = structlog.get_logger(__name__)

MAX_WAITING = 32
"""How many long makings may be under way or waiting in one workshop, and how many quick ones; requests for more are
refused with 429."""

_CHUNK_BYTES = 1024 * 1024

Tell = Callable[[int], None]
"""Is told how much is done, in percent."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What files are made with."""

    store: Store
    scratch: Scratch
    zygote: Zygote
    settings: JobApiSettings
    disk: DiskWatch

    @property
    def media_limits(self) -> MediaLimits:
        """The limits on what is decoded: those of the probe that let the media in."""
        return MediaLimits(self.settings.max_side_px, self.settings.max_image_pixels)

    async def run(self, spec: Spec, folder: Path | None, tell: Tell, *, thing: str, job_id: JobId) -> dict[str, Any]:
        """Run a program to its good end and return its result; what it leaves is then in `folder`.

        Raises:
            ForgeSyteError: STORAGE_FULL when the disk is to blame, else the code of what went wrong;
                SERVICE_UNAVAILABLE when nothing in the sandbox is to blame either.
            RuntimeError: the program raised what it should not.
        """
        # At the end the index moves to the front of a video, for which the whole file is written once more.
        limit_s = self.settings.annotate_timeout_s
        limits = Limits(
            job_timeout_s=limit_s, finalize_timeout_s=limit_s, memory_bytes=self.settings.annotate_memory_bytes
        )

        def take(message: Message) -> None:
            if isinstance(message, Progress):
                tell(message.percent)

        outcome = await self.zygote.run(Order(spec, limits=limits, folder=folder, on_message=take))
        if not outcome.ok:
            await self._refuse_without_room(0, thing=thing, job_id=job_id)
            if outcome.code is Code.PLUGIN_ERROR:  # no plugin runs here: an exception of our own code, as any other
                raise RuntimeError(outcome.error)
            text = f"the {thing} could not be made: {outcome.error}"
            raise ForgeSyteError(outcome.code or Code.SERVICE_UNAVAILABLE, text, job_id=job_id)
        return outcome.result or {}

    async def fetch_input(self, file: Path, *, files: int, thing: str, job_id: JobId) -> None:
        """Fetch the input of a job, where there is room.

        Args:
            file: where to, in the scratch folder.
            files: for how many files of its size there must be room: with what is made of it, 2.
            thing: what is made.
            job_id: the job.

        Raises:
            BlobMissing: it is gone.
            ForgeSyteError: STORAGE_FULL.
        """
        path = input_blob(job_id)
        size_bytes = await self.store.size(path)
        if size_bytes is None:
            raise BlobMissing(path)
        await self._refuse_without_room(files * size_bytes, self.scratch.path, thing=thing, job_id=job_id)
        await self.store.fetch_to(path, file)

    async def keep(self, path: str, file: Path, *, thing: str, job_id: JobId) -> int:
        """Put a file into the store, where there is room, and return its size in bytes.

        Raises:
            ForgeSyteError: STORAGE_FULL.
        """
        size_bytes = (await asyncio.to_thread(file.stat)).st_size
        await self._refuse_without_room(size_bytes, thing=thing, job_id=job_id)
        return await self.store.put_stream(path, _pieces(file))

    @asynccontextmanager
    async def blaming_the_disk(self, *, thing: str, job_id: JobId) -> AsyncIterator[None]:
        """Refuse as STORAGE_FULL what failed because a folder takes nothing, which the watch may not have seen yet."""
        try:
            yield
        except (StoreUnavailable, OSError):
            await self._refuse_without_room(0, thing=thing, job_id=job_id)
            raise

    async def _refuse_without_room(self, more_bytes: int, *also: Path, thing: str, job_id: JobId) -> None:
        # Looks again, as the last look was before what is made took its room.
        fault = await self.disk.look()
        room_bytes = self.disk.room_bytes(*also)
        if fault is not None:
            why = fault.text
        elif room_bytes is not None and more_bytes > room_bytes:
            why = f"{more_bytes} bytes are needed and there is room for {room_bytes}."
        else:
            return
        raise ForgeSyteError(
            Code.STORAGE_FULL, f"The {thing} cannot be made at present: {why} Try again later.", job_id=job_id
        )


@dataclass(slots=True)
class Underway:
    """How far one making is.

    Attributes:
        join_long: see become_long().
        is_quick: whether it is counted among the quick ones.
        progress: in percent; None while it is unknown.
    """

    join_long: Callable[[], None]
    is_quick: bool = False
    progress: int | None = None

    def tell(self, percent: int) -> None:
        """Note how much is done; it never falls."""
        self.progress = max(percent, self.progress or 0)

    def become_long(self) -> None:
        """Be counted among the long ones from now on: called before a quick making does what is not quick.

        Raises:
            ForgeSyteError: TOO_MANY_REQUESTS.
        """
        if self.is_quick:
            self.join_long()
            self.is_quick = False


class Craft[T](Protocol):
    """How one kind of file is made. `thing` names it in sentences: "annotated video"."""

    thing: str

    async def kept(self, record: JobRecord) -> T | None:
        """Return what is in the store; None when it has to be made."""
        ...

    def begins_quickly(self, record: JobRecord) -> bool:
        """Whether making it begins with what is over soon, and may be all."""
        ...

    async def make(self, record: JobRecord, underway: Underway) -> T:
        """Make it and put it into the store. Another process may have done so since kept() was asked."""
        ...


@dataclass(frozen=True, slots=True)
class _Making[T]:
    underway: Underway
    task: "asyncio.Task[T | ForgeSyteError]"


class Workshop[T]:
    """Makes one kind of file. Opened by `async with Workshop.open(...)`."""

    def __init__(self, group: asyncio.TaskGroup, craft: Craft[T], clock: Clock) -> None:
        self._group = group
        self._craft = craft
        self._making: dict[JobId, _Making[T]] = {}
        self._faults = KeptFaults(clock)

    @classmethod
    @asynccontextmanager
    async def open(cls, craft: Craft[T], clock: Clock) -> "AsyncIterator[Workshop[T]]":
        """Make files while the block runs; those unfinished at its end are abandoned."""
        async with asyncio.TaskGroup() as group:
            workshop = cls(group, craft, clock)
            try:
                yield workshop
            finally:
                for making in workshop._making.values():
                    making.task.cancel()

    async def wait_for(self, record: JobRecord) -> T:
        """Make sure that the file of a job is in the store, however long it takes, and return what it is.

        Raises:
            ForgeSyteError: JOB_UNKNOWN when the input is gone, TOO_MANY_REQUESTS, STORAGE_FULL, SERVICE_UNAVAILABLE, or
                the code of what went wrong in the sandbox.
        """
        kept = await self._craft.kept(record)
        if kept is not None:
            return kept
        making = self._making.get(JobId(record.job_id)) or self._begin(record)
        await asyncio.wait([making.task])  # only waits: a request that is cancelled does not cancel the task
        if making.task.cancelled():
            text = "the service is stopping; try again shortly"
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text, job_id=record.job_id)
        made = making.task.result()
        if isinstance(made, ForgeSyteError):
            raise made
        return made

    async def ask_for(self, record: JobRecord) -> T | Underway:
        """Return what the file of a job is, or how far its making is, which begins with the first call.

        Raises:
            ForgeSyteError: as wait_for(), also when the last making failed so and the reason may still be there.
        """
        kept = await self._craft.kept(record)
        if kept is not None:
            return kept
        job_id = JobId(record.job_id)
        making = self._making.get(job_id)
        if making is not None:
            return making.underway
        fault = self._faults.of(job_id)
        if fault is not None:
            raise fault
        return self._begin(record).underway

    def _begin(self, record: JobRecord) -> _Making[T]:
        job_id = JobId(record.job_id)
        underway = Underway(partial(self._require_room, job_id, is_quick=False), self._craft.begins_quickly(record))
        self._require_room(job_id, is_quick=underway.is_quick)
        self._faults.forget(job_id)
        task = self._group.create_task(self._make(record, underway), name=f"{self._craft.thing} {job_id}")
        making = self._making[job_id] = _Making(underway, task)
        return making

    def _require_room(self, job_id: JobId, *, is_quick: bool) -> None:
        alike = sum(making.underway.is_quick == is_quick for making in self._making.values())
        if alike >= MAX_WAITING:
            text = f"{MAX_WAITING} files ({self._craft.thing}) are already being made; try again shortly"
            raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text, job_id=job_id)

    async def _make(self, record: JobRecord, underway: Underway) -> T | ForgeSyteError:
        """Return what was made or the fault: an exception would end every other task of the group."""
        job_id = JobId(record.job_id)
        try:
            made: T | ForgeSyteError = await self._craft.make(record, underway)
        except Exception as error:  # noqa: BLE001 - border: HTTP handler; requests that wait or ask are answered with it
            made = self._fault(error, job_id)
            self._faults.keep(job_id, made)
        finally:
            del self._making[job_id]
        return made

    def _fault(self, error: Exception, job_id: JobId) -> ForgeSyteError:
        thing = self._craft.thing
        if isinstance(error, BlobMissing):
            text = f"the input or the rows of job {job_id} no longer exist"
            return ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=job_id)
        if isinstance(error, ForgeSyteError):
            log.warning("file not made", what=thing, job_id=job_id, code=error.code, error=error.detail)
            return error
        if isinstance(error, OSError):
            log.error("file not made", what=thing, job_id=job_id, error=str(error))
            return scratch_unwritable(f"the {thing} cannot be made", error, job_id=job_id)
        log.error("file not made", what=thing, job_id=job_id, exc_info=error)
        return ForgeSyteError(Code.INTERNAL, f"the {thing} could not be made", job_id=job_id)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield piece
