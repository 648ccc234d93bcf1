"""One run from its order to its verdict: reads the child's messages, watches it, ends it, reports how it went.

The first ending decides: the child's last message, a limit, the caller's cancel, a broken message, a death. Whichever
it is, the sandbox is killed and its exit awaited before the verdict is returned. Only a warm sandbox that did its job,
restored everything and reports that it is ready is left alive for the next one.
"""

import asyncio
import time
from contextlib import suppress

from forgesyte_sandbox.shared.limits import MIB
from forgesyte_sandbox.shared.messages import (
    AnyMessage,
    Failed,
    Finished,
    Loaded,
    Message,
    ProtocolError,
    Row,
    Started,
    decode,
)
from forgesyte_sandbox.shared.pipe import SLACK_BYTES, HalfMessage, read_frame
from forgesyte_sandbox.shared.process_memory import data_limit_of
from forgesyte_sandbox.shared.shared_memory import inodes, remove_inodes

from . import verdict
from .order import Order, Script
from .outcome import SandboxOutcome
from .sandbox import Baseline, Sandbox
from .verdict import Verdict
from .watchdog import Watchdog
from .zygote_process import ChildExit

_SILENT_LIMIT_S = 0.5
_REST_LIMIT_S = 2.0
_LAST_MESSAGES_S = 1.0
_ASK_EVERY_S = 0.2
_TURN_S = 0.002


class Run:
    """One order in one sandbox. to_end() is called once.

    Attributes:
        is_reusable: whether the sandbox is alive and ready for another job; known when to_end() has returned.
    """

    def __init__(self, order: Order, sandbox: Sandbox, script: Script, *, began_s: float) -> None:
        self._order = order
        self._sandbox = sandbox
        self._script = script
        self._began_s = began_s
        self._was_warm = sandbox.baseline is not None
        self._ready_s: float | None = None
        self._over = asyncio.Event()
        self._verdict: Verdict | None = None
        self._last: Finished | Failed | None = None
        self._caller_error: Exception | None = None
        self._has_plugin_begun = False
        self._last_row = -1
        self._half = ""
        self._data_limit: int | None = None
        self._files_before = inodes()
        self._watchdog = Watchdog(sandbox.pid, sandbox.page, order.limits, scratch=sandbox.home.scratch)
        self.is_reusable = False

    @property
    def why_not(self) -> str:
        """Why the sandbox is not reusable, in one word: `unfit` after a good job, else `fault`."""
        return "unfit" if self._may_live_on() else "fault"

    @property
    def was_taken(self) -> bool:
        """Whether the child began the order; False means that it was stopped or dead before."""
        return self._last is not None or self._sandbox.page.is_job_taken

    async def to_end(self) -> SandboxOutcome:
        """Supervise; end the sandbox, unless it is reusable. Raises only what on_message raised."""
        try:
            return await self._supervise()
        except BaseException:
            self.is_reusable = False
            raise
        finally:
            if not self.is_reusable:
                await self._sandbox.end()
            if self._sandbox.home.uid is None:  # else they go by their uid, with the home
                remove_inodes(frozenset(self._watchdog.seen_files - self._files_before))

    async def _supervise(self) -> SandboxOutcome:
        process = self._sandbox.process
        # Before the child learns of this run: the previous job in a warm sandbox may have been watched, and a short
        # job that is watched would be over before a later look.
        self._pass_on_watched()
        # A duplicate, because closing a stream closes its socket, and a warm sandbox needs its socket for the next run.
        reader, writer = await asyncio.open_unix_connection(sock=self._sandbox.socket.dup())
        try:
            self._order.on_started(process.pid)
            self._order.on_watch(lambda: self._watchdog.step_left_s)
            process.exited.add_done_callback(self._exit_came)
            async with asyncio.TaskGroup() as group:
                conversation = group.create_task(self._converse(reader, writer))
                tasks = [
                    conversation,
                    group.create_task(self._watchdog.watch(self._give_up)),
                    group.create_task(self._await_cancel()),
                    group.create_task(self._keep_passing_on_watched()),
                ]
                await self._over.wait()
                exit_ = None if self.is_reusable else await self._bury()
                if self._caller_error is None:
                    # What the dead child had sent is in the socket; a caller that takes it slowly has this long.
                    await asyncio.wait({conversation}, timeout=_LAST_MESSAGES_S)
                for task in tasks:
                    task.cancel()
        finally:
            # The page is closed soon, or tells of a warm sandbox's next job.
            self._order.on_watch(_no_step)
            process.exited.remove_done_callback(self._exit_came)
            writer.transport.abort()
        if self._caller_error is not None:
            raise self._caller_error
        self._sandbox.log.drain()
        return self._outcome(self._judge(exit_))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._sandbox.baseline is None:
            writer.write(self._script.load)
        else:
            self._go(writer)
        max_bytes = max(self._order.limits.output_bytes, MIB) + SLACK_BYTES
        try:
            share = LoopShare()
            while self._last is None and (frame := await read_frame(reader, max_bytes=max_bytes)) is not None:
                await self._take(decode(*frame), writer)
                await share.pass_on()
            if self._may_live_on():
                await self._await_rest(reader)
        except HalfMessage as error:
            self._half = str(error)
        except ProtocolError as error:
            self._give_up(verdict.broken_protocol(str(error), self._watchdog.frame))
        self._over.set()

    def _go(self, writer: asyncio.StreamWriter) -> None:
        """Set the job's limits on top of what was in use after load, and let it begin."""
        sandbox = self._sandbox
        if sandbox.baseline is None:
            sandbox.baseline = Baseline.of(sandbox.pid)
        self._watchdog.allow_above(sandbox.baseline.resident_bytes)
        self._data_limit = sandbox.data_limit(self._order.limits.memory_bytes)
        if self._script.is_warm:
            self._files_before = inodes()  # what the plugin made while it loaded lives as long as the sandbox
            sandbox.page.begin_job()
        self._ready_s = time.monotonic()
        writer.write(self._script.go(self._data_limit))

    async def _take(self, message: AnyMessage, writer: asyncio.StreamWriter) -> None:
        self._require_kept_limit()
        if isinstance(message, Loaded):
            if self._ready_s is not None:
                raise ProtocolError("it reported a second time that it is loaded")
            self._go(writer)
            return
        if isinstance(message, Row):
            if message.frame_index <= self._last_row:
                raise ProtocolError(f"row {message.frame_index} came after row {self._last_row}")
            self._last_row = message.frame_index
        self._has_plugin_begun |= isinstance(message, Started)
        if isinstance(message, Finished | Failed):
            if self._verdict is not None:
                return  # the first ending decides
            self._last = message
        if not isinstance(message, Failed):
            await self._tell(message)

    def _require_kept_limit(self) -> None:
        """Check, once, that the child has set the limit it was sent; it may also have set a lower one, or be dead."""
        if self._data_limit is None:
            return
        wanted, self._data_limit = self._data_limit, None
        hard = data_limit_of(self._sandbox.pid)
        if hard is not None and hard > wanted:
            raise ProtocolError(f"it kept a memory limit of {hard >> 20} MiB where {wanted >> 20} MiB were set")

    def _may_live_on(self) -> bool:
        if not self._script.is_warm or self._caller_error is not None or self._verdict is not None:
            return False
        if isinstance(self._last, Failed):
            return self._last.is_about_the_order and not self._has_plugin_begun
        return self._last is not None

    async def _await_rest(self, reader: asyncio.StreamReader) -> None:
        # The job is over whatever comes now; only the sandbox's future depends on it.
        with suppress(TimeoutError, ProtocolError):
            async with asyncio.timeout(_REST_LIMIT_S):
                frame = await read_frame(reader, max_bytes=SLACK_BYTES)
            is_rested = frame is not None and isinstance(decode(*frame), Loaded)
            self.is_reusable = is_rested and not self._over.is_set() and not self._sandbox.has_strays

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

    def _exit_came(self, exited: "asyncio.Future[ChildExit | None]") -> None:
        exit_ = exited.result()
        if exit_ is None:
            self._give_up(self._interrupted())
        elif exit_.survivors:
            self._over.set()  # a survivor may hold the pipe open, and then the messages do not end by themselves

    async def _await_cancel(self) -> None:
        if self._order.cancel is not None:
            await self._order.cancel.wait()
            self._give_up(verdict.cancelled(self._watchdog.frame))

    async def _keep_passing_on_watched(self) -> None:
        while self._order.is_watched is not None:
            await asyncio.sleep(_ASK_EVERY_S)
            self._pass_on_watched()

    def _pass_on_watched(self) -> None:
        """Tell the child whether the job is watched at this moment."""
        is_watched = self._order.is_watched
        self._sandbox.page.set_watched(is_watched is not None and is_watched())

    async def _bury(self) -> ChildExit | None:
        if self._verdict is None and self._last is None and self._caller_error is None:
            # The pipe ended without a last message: let a dying process die by itself, so that its exit code is known.
            await asyncio.wait({self._sandbox.process.exited}, timeout=_SILENT_LIMIT_S)
            if not self._sandbox.process.exited.done():
                self._verdict = verdict.broken_protocol(self._half or "it closed its pipe", self._watchdog.frame)
        return await self._sandbox.end()

    def _judge(self, exit_: ChildExit | None) -> Verdict | None:
        frame = self._watchdog.frame
        if isinstance(self._last, Finished):
            return None
        if self._last is not None:
            return verdict.raised(self._last, frame, self._order.limits)
        if self._verdict is not None:
            return self._verdict
        if exit_ is None:
            return self._interrupted()
        if self._half and exit_.code == 0:
            return verdict.broken_protocol(self._half, frame)
        return verdict.died(exit_.code, frame, self._sandbox.log.text, self._order.limits)

    def _interrupted(self) -> Verdict:
        frame, fault = self._watchdog.frame, self._sandbox.zygote.fault
        if fault is None:
            return verdict.released("the zygote ended, and its sandboxes with it", frame)
        return verdict.surroundings(fault, frame)

    def _outcome(self, found: Verdict | None) -> SandboxOutcome:
        return SandboxOutcome(
            ok=found is None,
            result=self._last.result if self._last is not None else None,
            error=None if found is None else found.text,
            error_type=None if found is None else found.name,
            execution_time_ms=_ms(time.monotonic() - self._began_s),
            kind="succeeded" if found is None else found.kind,
            code=None if found is None else found.code,
            frame=None if found is None else found.frame,
            traceback=None if found is None else found.traceback,
            clause=None if found is None else found.clause,
            log_tail=self._sandbox.log.text,
            start_ms=None if self._ready_s is None else _ms(self._ready_s - self._began_s),
            was_warm=self._was_warm,
            exit_code=None if found is None else found.exit_code,
            decoding=self._watchdog.decoding if found is not None and found.may_be_decoding else None,
        )


class LoopShare:
    """Passes the loop on when one sandbox has had it for a while: a flood of small messages never waits by itself."""

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    async def pass_on(self) -> None:
        """Let others run if it is their turn."""
        if time.monotonic() - self._since_s > _TURN_S:
            await asyncio.sleep(0)
            self._since_s = time.monotonic()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _no_step() -> None:
    """Say that no step is under way."""
