"""The parent's door to the sandbox: a zygote that is always there when a run needs one, and the run itself.

It never imports a plugin, av, cv2, numpy or torch. A dead zygote is replaced when the next run asks for one; a run
that was on it ends `released`, which is nobody's fault and counts as no death. There is no background task: a zygote
without runs has nobody to inform.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from .limits import Limits
from .messages import Message
from .outcome import SandboxOutcome
from .run import Order, Run
from .zygote_client import ZygoteFailed, ZygoteProcess

_FORK_TRIES = 2
OnMessage = Callable[[Message], Awaitable[None] | None]


class Zygote:
    """The sandboxes' common ancestor. Made by `async with Zygote.start()`, from the main thread."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._spawning = asyncio.Lock()
        self._process: ZygoteProcess | None = None
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def start(cls, *, env: Mapping[str, str] | None = None) -> AsyncIterator["Zygote"]:
        """Start the zygote and wait until it has preloaded; at the end everything of it is dead and reaped.

        Args:
            env: variables for zygote and sandboxes beside PATH, locale, library and GPU variables. The services' own
                variables never reach them.

        Raises:
            ZygoteFailed: it did not come up within its limit.
            RuntimeError: called outside the main thread (the kernel would kill it with that thread).
        """
        zygote = cls(env or {})
        try:
            await zygote._living()
            yield zygote
        finally:
            await zygote._close()

    @property
    def pid(self) -> int | None:
        """The zygote's process id; None while there is none. A dead one is replaced at the next run."""
        return self._process.pid if self._process is not None else None

    async def run(
        self,
        program: str,
        spec: dict[str, Any],
        *,
        limits: Limits,
        scratch: Path,
        on_message: OnMessage | None = None,
        on_started: Callable[[int], None] | None = None,
        cancel: asyncio.Event | None = None,
    ) -> SandboxOutcome:
        """Run a program in a fresh sandbox to its end; raises nothing for what the child does.

        Args:
            program: `manifest` or `job`.
            spec: what the program needs, plain JSON.
            limits: seconds and bytes it may take.
            scratch: an existing folder; the child's working, home and temporary folder.
            on_message: called for each message in order. While it is busy the child's writes block, and that time
                counts against no step. What it raises ends the run and is raised here.
            on_started: called with the sandbox's process id.
            cancel: set it to have everything killed at once; the outcome is then `cancelled`.

        Returns:
            How it ended. When this returns, or raises, nothing of the run is alive.
        """
        order = Order(program, spec, limits, scratch, on_message or _ignore, on_started or _ignore, cancel)
        # A zygote may have died unnoticed since the last run. Nothing of this run was started then: ask a new one.
        reason = ""
        for _ in range(_FORK_TRIES):
            try:
                process = await self._living()
            except ZygoteFailed as error:
                reason = str(error)
                continue
            try:
                return await Run(order, process).to_end()
            except ZygoteFailed as error:
                reason = str(error)
            finally:
                if process.is_gone:
                    await process.bury()
        text = f"the run was not started: {reason}"
        return SandboxOutcome(False, None, text, "released", 0.0, "released")

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


def _ignore(_: object) -> None:
    return None
