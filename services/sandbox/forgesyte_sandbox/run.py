"""One run from fork to verdict: reads the child's messages, watches it, ends it, says how it went.

The first ending decides: the child's last message, a limit, the caller's cancel, a broken message, a death. Whichever
it is, the sandbox is killed and its exit awaited before the verdict is given.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from . import verdict
from .heartbeat import HeartbeatPage
from .limits import MIB, Limits
from .log_tail import LogTail
from .messages import GO, SPEC, AnyMessage, Failed, Finished, Loaded, Message, ProtocolError, Row, decode
from .outcome import SandboxOutcome
from .pipe import SLACK_BYTES, HalfMessage, frame_bytes, read_frame
from .verdict import Verdict
from .watchdog import Watchdog
from .zygote_client import Exit, SandboxProcess, ZygoteProcess

_EXIT_LIMIT_S = 10.0
_SILENT_LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller of Zygote.run asks for."""

    program: str
    spec: dict[str, Any]
    limits: Limits
    scratch: Path
    on_message: Callable[[Message], Awaitable[None] | None]
    on_started: Callable[[int], None]
    cancel: asyncio.Event | None


class Run:
    """One sandbox's life. to_end() is called once."""

    def __init__(self, order: Order, zygote: ZygoteProcess) -> None:
        self._order = order
        self._zygote = zygote
        self._began_s = time.monotonic()
        self._over = asyncio.Event()
        self._verdict: Verdict | None = None
        self._last: Finished | Failed | None = None
        self._caller_error: Exception | None = None
        self._last_row = -1
        self._half = ""

    async def to_end(self) -> SandboxOutcome:
        """Fork, supervise, bury.

        Raises:
            ZygoteFailed: nothing was started. Besides that only what on_message raised.
        """
        with ExitStack() as held:
            page = HeartbeatPage()
            held.callback(page.close)
            ours, its = socket.socketpair()
            held.callback(ours.close)
            log_read, log_write = os.pipe()
            self._log = LogTail(log_read)
            held.callback(self._log.close)
            try:
                process = await self._zygote.fork((its.fileno(), page.fd, log_write), self._order.scratch)
            finally:
                its.close()
                os.close(log_write)
            held.callback(process.close)
            self._watchdog = Watchdog(process.pid, page, self._order.limits)
            try:
                return await self._supervise(process, ours)
            finally:
                process.kill()
                await self._exit_of(process)

    async def _supervise(self, process: SandboxProcess, sock: socket.socket) -> SandboxOutcome:
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        try:
            self._order.on_started(process.pid)
            process.exited.add_done_callback(self._exit_came)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._read(reader, writer)),
                    group.create_task(self._watchdog.watch(self._give_up)),
                    group.create_task(self._await_cancel()),
                ]
                await self._over.wait()
                exit_ = await self._bury(process)
                for task in tasks:
                    task.cancel()
        finally:
            process.exited.remove_done_callback(self._exit_came)
            writer.close()
        if self._caller_error is not None:
            raise self._caller_error
        self._log.drain()
        return self._outcome(self._judge(exit_))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limits = self._order.limits
        order = {"program": self._order.program, "spec": self._order.spec, "limits": limits.as_dict()}
        writer.write(frame_bytes(SPEC, orjson.dumps(order)))
        max_bytes = max(limits.output_bytes, MIB) + SLACK_BYTES
        try:
            while self._last is None and (frame := await read_frame(reader, max_bytes=max_bytes)) is not None:
                await self._take(decode(*frame), writer)
        except HalfMessage as error:
            self._half = str(error)
        except ProtocolError as error:
            self._give_up(verdict.broken_protocol(str(error), self._watchdog.frame))
        self._over.set()

    async def _take(self, message: AnyMessage, writer: asyncio.StreamWriter) -> None:
        if isinstance(message, Loaded):
            self._watchdog.lower_memory()
            writer.write(frame_bytes(GO, b""))
            return
        if isinstance(message, Row):
            if message.frame_index <= self._last_row:
                raise ProtocolError(f"row {message.frame_index} came after row {self._last_row}")
            self._last_row = message.frame_index
        if isinstance(message, Finished | Failed):
            self._last = message
        if not isinstance(message, Failed):
            await self._tell(message)

    async def _tell(self, message: Message) -> None:
        try:
            waiting = self._order.on_message(message)
            if waiting is not None:
                await waiting
        except Exception as error:  # noqa: BLE001 - border: message handler; raised again by to_end, the child dies first
            self._caller_error = error
            self._over.set()

    def _give_up(self, found: Verdict) -> None:
        # The first ending decides; a limit that is passed while the last message is handled changes nothing.
        if self._verdict is None and self._last is None:
            self._verdict = found
        self._over.set()

    def _exit_came(self, exited: "asyncio.Future[Exit | None]") -> None:
        exit_ = exited.result()
        if exit_ is None:
            self._give_up(verdict.released("the zygote ended and its sandboxes with it", self._watchdog.frame))
        elif exit_.survivors:
            self._over.set()  # somebody may hold the pipe open: the end of the messages will not come by itself

    async def _await_cancel(self) -> None:
        if self._order.cancel is not None:
            await self._order.cancel.wait()
            self._give_up(verdict.cancelled(self._watchdog.frame))

    async def _bury(self, process: SandboxProcess) -> Exit | None:
        if self._verdict is None and self._last is None and self._caller_error is None:
            # The pipe ended without a last word: let a dying process die its own way, so that its exit code is known.
            await asyncio.wait({process.exited}, timeout=_SILENT_LIMIT_S)
            if not process.exited.done():
                self._verdict = verdict.broken_protocol(self._half or "it closed its pipe", self._watchdog.frame)
        process.kill()
        return await self._exit_of(process)

    async def _exit_of(self, process: SandboxProcess) -> Exit | None:
        await asyncio.wait({process.exited}, timeout=_EXIT_LIMIT_S)
        if not process.exited.done():
            self._zygote.condemn()
        return process.exited.result()

    def _judge(self, exit_: Exit | None) -> Verdict | None:
        frame = self._watchdog.frame
        if isinstance(self._last, Finished):
            return None
        if self._last is not None:
            return verdict.raised(self._last, frame)
        if self._verdict is not None:
            return self._verdict
        if exit_ is None:
            return verdict.released("the zygote ended and its sandboxes with it", frame)
        if self._half and exit_.code == 0:
            return verdict.broken_protocol(self._half, frame)
        return verdict.died(exit_.code, frame, self._log.text)

    def _outcome(self, found: Verdict | None) -> SandboxOutcome:
        return SandboxOutcome(
            ok=found is None,
            result=self._last.result if self._last is not None else None,
            error=None if found is None else found.text,
            error_type=None if found is None else found.name,
            execution_time_ms=round((time.monotonic() - self._began_s) * 1000, 1),
            kind="succeeded" if found is None else found.kind,
            code=None if found is None else found.code,
            frame=None if found is None else found.frame,
            traceback=None if found is None else found.traceback,
            log_tail=self._log.text,
        )
