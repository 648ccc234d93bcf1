"""Follows a job until it ends: over the gateway's WebSocket where possible, otherwise by polling.

The WebSocket reports within milliseconds what happens; the record, read over HTTP, is the truth. Both ways therefore
end alike: the ended job is read over HTTP, and a fault of the WebSocket only makes the polling begin earlier.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import (
    ErrorPayload,
    Payload,
    PluginStatusPayload,
    ProgressPayload,
    RealtimeMessage,
    WarningPayload,
)
from forgesyte_launcher.terminal.progress import ProgressView

from .client import ApiClient
from .realtime import ConnectionLost, NoRealtime, listening

POLL_EVERY_S = 0.25
UNREACHABLE_LIMIT_S = 30.0
"""Following a job fails when the server, or a part of it, has been unavailable for longer than this."""

RECONNECT_S = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Pauses before each attempt to reach the gateway again; after the last one the job is polled."""

STEADY_S = 5.0
"""After a connection that lasted this long, the attempts are counted from zero again."""


async def watch_job(client: ApiClient, job_id: str, view: ProgressView) -> JobView:
    """Show the job's progress until it has ended; return the ended job.

    Raises:
        ForgeSyteError: the job is unknown, or the server was unavailable for UNREACHABLE_LIMIT_S.
    """
    try:
        await _GatewayWatch(client, job_id, view).follow()
    except NoRealtime as why:
        view.note(f"polling every {POLL_EVERY_S} s: {why}")
    job: JobView | None = None

    def show_waiting(error: ForgeSyteError) -> None:
        view.say(f"waiting up to {UNREACHABLE_LIMIT_S:.0f} s for the server: {error.detail}")

    async for job in follow_job(client, job_id, on_unavailable=show_waiting):
        view.show(job)
    if job is None:
        raise AssertionError("follow_job() yields at least one record or raises")
    return job


async def follow_job(
    client: ApiClient, job_id: str, *, on_unavailable: Callable[[ForgeSyteError], None] = lambda _: None
) -> AsyncIterator[JobView]:
    """Yield the job's record at each poll; the last one is the ended job.

    Args:
        client: a client of the server that has the job.
        job_id: the job.
        on_unavailable: called once whenever the server becomes unavailable.

    Raises:
        ForgeSyteError: the job is unknown, or the server was unavailable for UNREACHABLE_LIMIT_S.
    """
    clock = asyncio.get_running_loop().time
    seen_s, is_unavailable = clock(), False
    while True:
        try:
            job = await client.job(job_id)
        except ForgeSyteError as error:
            if not error.retryable or clock() - seen_s > UNREACHABLE_LIMIT_S:
                raise
            if not is_unavailable:
                on_unavailable(error)
            is_unavailable = True
        else:
            seen_s, is_unavailable = clock(), False
            yield job
            if job.status.is_terminal:
                return
        await asyncio.sleep(POLL_EVERY_S)


class _GatewayWatch:
    """Follows one job over the WebSocket and reconnects after the last received `seq`."""

    def __init__(self, client: ApiClient, job_id: str, view: ProgressView) -> None:
        self._client = client
        self._job_id = job_id
        self._view = view
        self._job: JobView | None = None
        self._seq: int | None = None
        self._warnings = 0
        self._attempts = 0

    async def follow(self) -> None:
        """Return when the job has ended.

        Raises:
            NoRealtime: the gateway is unreachable, or stayed unreachable.
            ForgeSyteError: the job is unknown.
        """
        if await self._read_record():
            return None
        clock = asyncio.get_running_loop().time
        while True:
            started_s = clock()
            try:
                return await self._one_connection()
            except ConnectionLost as why:
                if clock() - started_s > STEADY_S:
                    self._attempts = 0
                if self._attempts == len(RECONNECT_S):
                    raise NoRealtime(f"the gateway cannot be reached ({why})") from why
                if not self._attempts:
                    self._view.note(f"no connection to the gateway ({why}); trying again")
            await asyncio.sleep(RECONNECT_S[self._attempts])
            self._attempts += 1

    async def _one_connection(self) -> None:
        async with listening(self._client, self._job_id, since=self._seq) as messages, aclosing(messages):
            is_announced = False
            async for message, payload in messages:
                if not is_announced:  # not earlier: a key may still be refused after the handshake
                    self._view.note("following over WebSocket")
                    is_announced = True
                if await self._take(message, payload):
                    return

    async def _take(self, message: RealtimeMessage, payload: Payload) -> bool:
        """Show what a message says; return True when the job has ended."""
        self._seq = message.seq or self._seq
        match payload:
            case ProgressPayload():
                return await self._show(payload)
            case WarningPayload() if payload.index >= self._warnings:
                self._warnings = payload.index + 1
                self._view.note(f"warning: {payload.message}")
            case PluginStatusPayload() if message.seq:
                # The attempt changed, and only the record says which one it is now.
                return await self._read_record()
            case ErrorPayload():
                self._take_error(payload)
        return False

    def _take_error(self, error: ErrorPayload) -> None:
        if error.details.error_code == Code.JOB_UNKNOWN:
            raise NoRealtime("the gateway no longer knows the job")
        # The error of a job is followed by its end, and then the command prints the record's own sentence.
        if error.job_id is None:
            self._view.note(f"error: {error.details.message}")

    async def _read_record(self) -> bool:
        """Read the record over HTTP, unless the server is unavailable; return True when the job has ended."""
        try:
            self._job = await self._client.job(self._job_id)
        except ForgeSyteError as error:
            if not error.retryable:
                raise
        else:
            self._view.show(self._job)
        return self._job is not None and self._job.status.is_terminal

    async def _show(self, progress: ProgressPayload) -> bool:
        if self._job is not None and (progress.current_frame or 0) < (self._job.current_frame or 0):
            await self._read_record()  # a new attempt starts at an earlier frame
        status = JobStatus(progress.status)
        if self._job is not None:
            facts = progress.model_dump(include={"progress", "current_frame", "total_frames", "tools_completed"})
            self._job = self._job.model_copy(update={"status": status, **facts})
            self._view.show(self._job)
        return status.is_terminal
