"""The services' way into the sandbox: keeps a zygote alive and runs programs in it.

It never imports a plugin, av, cv2, numpy or torch. A dead zygote is replaced when the next run needs one; a run that
was on it ends as `released`, which blames neither job nor plugin and counts as no death. There is no background task:
no one waits for a zygote without runs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from forgesyte_contracts.problems import Code, ForgeSyteError

from .order import Order, Script
from .outcome import SandboxOutcome
from .run import Run
from .sandbox import Sandbox
from .zygote_process import ZygoteFailed, ZygoteProcess


class Zygote:
    """The common ancestor of all sandboxes. Made by `async with Zygote.start()`, from the main thread."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._spawning = asyncio.Lock()
        self._process: ZygoteProcess | None = None
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def start(cls, *, env: Mapping[str, str] | None = None) -> AsyncIterator["Zygote"]:
        """Start the zygote and wait until it has preloaded; at the end it and all its sandboxes are dead and reaped.

        Args:
            env: variables for zygote and sandboxes besides PATH, locale, library and GPU variables. The services' own
                variables never reach them.

        Raises:
            ForgeSyteError: INTERNAL, when it did not come up within its limit.
            RuntimeError: called outside the main thread (the kernel would kill it with that thread).
        """
        zygote = cls(env or {})
        try:
            await zygote._come_up()
            yield zygote
        finally:
            await zygote._close()

    @property
    def pid(self) -> int | None:
        """The zygote's process id; None while there is none. A dead one is replaced at the next run."""
        return self._process.pid if self._process is not None else None

    async def run(self, order: Order) -> SandboxOutcome:
        """Run a program in a fresh sandbox to its end; raises nothing for what the child does.

        Returns:
            How it ended. When this returns, or raises, no process of the run is alive.
        """
        began_s = time.monotonic()
        script = Script.fresh(order)
        try:
            sandbox = await self.fork(order.scratch)
        except ZygoteFailed as error:
            return not_started(str(error))
        try:
            return await Run(order, sandbox, script, began_s=began_s).to_end()
        finally:
            sandbox.close()
            await sandbox.zygote.bury_if_gone()

    async def fork(self, scratch: Path) -> Sandbox:
        """Fork a sandbox that does nothing yet; the caller must end() and close() it.

        Raises:
            ZygoteFailed: nothing was started.
        """
        # The zygote may have died unnoticed since the last run. Nothing of this run was started then: try a new one.
        for last_try in (False, True):
            try:
                process = await self._living()
                try:
                    return await Sandbox.fork(process, scratch)
                finally:
                    await process.bury_if_gone()
            except ZygoteFailed:
                if last_try:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _come_up(self) -> None:
        try:
            await self._living()
        except ZygoteFailed as fault:
            text = f"The sandbox could not be started: {fault}. `forgesyte doctor` shows what this machine lacks."
            raise ForgeSyteError(Code.INTERNAL, text) from fault

    async def _living(self) -> ZygoteProcess:
        async with self._spawning:
            if self._is_closed:
                raise ZygoteFailed("the sandbox is shutting down; the run was not started")
            if self._process is None or self._process.is_gone:
                if self._process is not None:
                    await self._process.bury()
                self._process = None
                self._process = await ZygoteProcess.spawn(self._env)
            return self._process

    async def _close(self) -> None:
        self._is_closed = True
        async with self._spawning:
            if self._process is not None:
                await self._process.bury()


def not_started(reason: str) -> SandboxOutcome:
    """Return the outcome of a run of which nothing was started; neither job nor plugin is to blame."""
    return SandboxOutcome(False, None, f"the run was not started: {reason}", "released", 0.0, "released")
