"""Follow a job until it ends: over the gateway's socket where there is one, by asking again and again where not.

The socket tells what happens within milliseconds; the record over HTTP is the truth it is made from. So both ways end
alike: the ended job is read over HTTP, and whatever is wrong with the socket only makes the asking begin earlier.
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

EVERY_S = 0.25
AWAY_LIMIT_S = 30.0
"""How long the server may be unreachable, or say that a part of it is away, before following is given up."""

RECONNECT_S = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Pauses before each new try to reach the gateway; after the last one the job is followed by asking."""

CALM_S = 5.0
"""A connection that lived so long has ended a series of tries."""


async def watch_job(client: ApiClient, job_id: str, view: ProgressView) -> JobView:
    """Show the job's progress until it has ended; gives the ended job.

    Raises:
        ForgeSyteError: the job is unknown, or the server was away for AWAY_LIMIT_S.
    """
    try:
        await _GatewayWatch(client, job_id, view).follow()
    except NoRealtime as why:
        view.note(f"following by asking every {EVERY_S} s: {why}")
    job: JobView | None = None

    def tell(error: ForgeSyteError) -> None:
        view.say(f"waiting up to {AWAY_LIMIT_S:.0f} s for the server: {error.detail}")

    async for job in follow_job(client, job_id, on_away=tell):
        view.show(job)
    if job is None:
        raise AssertionError("follow_job() gives at least one record or raises")
    return job


async def follow_job(
    client: ApiClient, job_id: str, *, on_away: Callable[[ForgeSyteError], None] = lambda _: None
) -> AsyncIterator[JobView]:
    """Give the job's record again and again; the last one is the ended job.

    Args:
        client: of the server that has it.
        job_id: the job.
        on_away: told once when the server becomes unreachable.

    Raises:
        ForgeSyteError: the job is unknown, or the server was away for AWAY_LIMIT_S.
    """
    clock = asyncio.get_running_loop().time
    seen_s, is_away = clock(), False
    while True:
        try:
            job = await client.job(job_id)
        except ForgeSyteError as error:
            if not error.retryable or clock() - seen_s > AWAY_LIMIT_S:
                raise
            if not is_away:
                on_away(error)
            is_away = True
        else:
            seen_s, is_away = clock(), False
            yield job
            if job.status.is_terminal:
                return
        await asyncio.sleep(EVERY_S)


class _GatewayWatch:
    """Follows one job over the socket, through its breaks; the last `seq` heard says where to go on."""

    def __init__(self, client: ApiClient, job_id: str, view: ProgressView) -> None:
        self._client = client
        self._job_id = job_id
        self._view = view
        self._job: JobView | None = None
        self._seq: int | None = None
        self._warnings = 0
        self._tries = 0

    async def follow(self) -> None:
        """Return when the job has ended.

        Raises:
            NoRealtime: the gateway is not there, or did not come back.
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
                if clock() - started_s > CALM_S:
                    self._tries = 0
                if self._tries == len(RECONNECT_S):
                    raise NoRealtime(f"the gateway can not be reached ({why})") from why
                if not self._tries:
                    self._view.note(f"no connection to the gateway ({why}), trying again")
            await asyncio.sleep(RECONNECT_S[self._tries])
            self._tries += 1

    async def _one_connection(self) -> None:
        async with listening(self._client, self._job_id, since=self._seq) as messages, aclosing(messages):
            is_told = False
            async for message, payload in messages:
                if not is_told:  # not before: a key may still be refused behind the handshake
                    self._view.note("following over WebSocket")
                    is_told = True
                if await self._take(message, payload):
                    return

    async def _take(self, message: RealtimeMessage, payload: Payload) -> bool:
        """Show what a message says; True when it is the job's ending."""
        self._seq = message.seq or self._seq
        match payload:
            case ProgressPayload():
                return await self._show(payload)
            case WarningPayload() if payload.index >= self._warnings:
                self._warnings = payload.index + 1
                self._view.note(f"warning: {payload.message}")
            case PluginStatusPayload() if message.seq:
                # Something happened to the attempt, and only the record tells which one it is now.
                return await self._read_record()
            case ErrorPayload():
                self._take_error(payload)
        return False

    def _take_error(self, error: ErrorPayload) -> None:
        if error.details.error_code == Code.JOB_UNKNOWN:
            raise NoRealtime("the gateway does not know the job any more")
        # With a job's error its ending comes, and whoever watches says the record's own sentence then.
        if error.job_id is None:
            self._view.note(f"error: {error.details.message}")

    async def _read_record(self) -> bool:
        """Read the record over HTTP; True when the job has ended. A server that is away leaves it as it was."""
        try:
            self._job = await self._client.job(self._job_id)
        except ForgeSyteError as error:
            if not error.retryable:
                raise
        else:
            self._view.show(self._job)
        return self._job is not None and self._job.status.is_terminal

    async def _show(self, said: ProgressPayload) -> bool:
        if self._job is not None and (said.current_frame or 0) < (self._job.current_frame or 0):
            await self._read_record()  # a new attempt begins at an earlier frame
        status = JobStatus(said.status)
        if self._job is not None:
            facts = said.model_dump(include={"progress", "current_frame", "total_frames", "tools_completed"})
            self._job = self._job.model_copy(update={"status": status, **facts})
            self._view.show(self._job)
        return status.is_terminal
