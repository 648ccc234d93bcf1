"""The services' way into the sandbox: keeps a zygote alive and runs programs in it.

It never imports a plugin, av, cv2, numpy or torch. A dead or stalled zygote is replaced when the next run needs one, or
at once while keep() runs. A run that was on it ends as `surroundings`, because any run there may have killed it; one
that was on a zygote that we ended ends as `released`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from forgesyte_contracts.plugins import SandboxPolicy
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import PolicySpec
from forgesyte_sandbox.shared.wall_rules import WallRules

from .homes.deliveries import NothingLeft, bring_in, take_out
from .homes.homes import Home, Homes
from .homes.uids import Uids
from .order import Order, Script
from .outcome import SandboxOutcome
from .run import Run
from .sandbox import Sandbox
from .wall.policy_check import require_policy
from .zygote_process import ZygoteFailed, ZygoteProcess

KEEP_EVERY_S = 1.0


class Zygote:
    """The common ancestor of all sandboxes. Made by `async with Zygote.start()`, from the main thread.

    Attributes:
        homes: the folders that its sandboxes live in.
    """

    def __init__(self, env: Mapping[str, str], wall: WallRules, homes: Homes) -> None:
        self.homes = homes
        self._env = env
        self._wall = wall
        self._policy: SandboxPolicy | None = None
        self._spawning = asyncio.Lock()
        self._process: ZygoteProcess | None = None
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def start(
        cls, *, env: Mapping[str, str] | None = None, wall: WallRules | None = None, homes: Path | None = None
    ) -> AsyncIterator["Zygote"]:
        """Start the zygote and wait until it has preloaded; at the end it and all its sandboxes are dead and reaped.

        Args:
            env: variables for zygote and sandboxes besides PATH, locale, library and GPU variables. The services' own
                variables never reach them.
            wall: what is built around each sandbox; None builds all that the kernel has, and requires enough of it.
            homes: a folder for the sandboxes' folders, empty or missing, and removed at the end; its parents must let
                others pass through. None is a temporary folder.

        Raises:
            ForgeSyteError: INTERNAL, when it did not come up within its limit; SERVICE_UNAVAILABLE, when less of the
                wall is in force than is required.
            RuntimeError: called outside the main thread (the kernel would kill it with that thread).
        """
        async with Homes.open(homes) as opened:
            zygote = cls(env or {}, wall or WallRules(), opened)
            try:
                await zygote._come_up()
                await zygote._lease_uids()
                await zygote._read_policy()
                yield zygote
            finally:
                await zygote._close()

    @property
    def pid(self) -> int | None:
        """The zygote's process id; None while there is none. A dead one is replaced at the next run."""
        return self._process.pid if self._process is not None else None

    @property
    def policy(self) -> SandboxPolicy:
        """What holds every sandbox back, read back from inside one when the zygote was started."""
        if self._policy is None:
            raise AssertionError("the policy is read before start() yields")
        return self._policy

    @property
    def calm_s(self) -> float:
        """Seconds since the living zygote was ready; 0 while there is none."""
        if self._process is None or self._process.is_gone:
            return 0.0
        return max(time.monotonic() - self._process.ready_s, 0.0)

    async def keep(self) -> None:
        """Replace a zygote that died or stalled, also while nothing runs, until cancelled."""
        wait_s = KEEP_EVERY_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self._living()
                wait_s = KEEP_EVERY_S
            except ZygoteFailed:
                wait_s = min(2 * wait_s, 10 * KEEP_EVERY_S)

    async def run(self, order: Order) -> SandboxOutcome:
        """Run a program in a fresh sandbox to its end; raises nothing for what the child does.

        Returns:
            How it ended. When this returns, or raises, no process of the run is alive.

        Raises:
            OSError: what the program left cannot be moved into the order's folder.
        """
        began_s = time.monotonic()
        try:
            home = await self.homes.lease()
        except OSError as error:
            return not_started(f"its folder cannot be made: {error}")
        try:
            return await self._run_in(home, order, began_s)
        finally:
            await self.homes.give_back(home)

    async def _run_in(self, home: Home, order: Order, began_s: float) -> SandboxOutcome:
        try:
            order = replace(order, spec=await bring_in(order.spec, home))
        except OSError as error:
            return not_started(f"its files cannot be given to it: {error}")
        try:
            sandbox = await self.fork(home)
        except ZygoteFailed as error:
            return not_started(str(error))
        except OSError as error:
            return not_started(f"its pipes cannot be made: {error}")
        try:
            outcome = await Run(order, sandbox, Script.fresh(order), began_s=began_s).to_end()
        finally:
            sandbox.close()
            await sandbox.zygote.bury_if_gone()
        if outcome.ok and order.folder is not None:
            try:
                await take_out(order.spec, home, order.folder)
            except NothingLeft as fault:
                return replace(
                    outcome, ok=False, kind="crashed", code=Code.PLUGIN_CRASH, error=str(fault), error_type="crashed",
                    clause=str(fault),
                )  # fmt: skip
        return outcome

    async def fork(self, home: Home) -> Sandbox:
        """Fork a sandbox that lives in `home` and does nothing yet; the caller must end() and close() it.

        Raises:
            ZygoteFailed: nothing was started.
        """
        # The zygote may have died unnoticed since the last run. Nothing of this run was started then: try a new one.
        for last_try in (False, True):
            try:
                process = await self._living()
                try:
                    return await Sandbox.fork(process, home)
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

    async def _lease_uids(self) -> None:
        process = await self._living()
        if self._wall.uids is not None and process.no_uid is None:
            self.homes.use_uids(Uids(self._wall.uids))

    async def _read_policy(self) -> None:
        outcome = await self.run(Order(PolicySpec(), Limits()))
        if outcome.result is None:
            text = f"The sandbox could not be built: {outcome.error}. `forgesyte doctor` shows what this machine lacks."
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text)
        self._policy = SandboxPolicy.model_validate(outcome.result)
        require_policy(self._policy, self._wall)

    async def _living(self) -> ZygoteProcess:
        async with self._spawning:
            if self._is_closed:
                raise ZygoteFailed("the sandbox is shutting down; the run was not started")
            if self._process is None or self._process.is_gone:
                if self._process is not None:
                    await self._process.bury()
                self._process = None
                self._process = await ZygoteProcess.spawn(self._env, self._wall, uids=lambda: self.homes.uids)
            return self._process

    async def _close(self) -> None:
        self._is_closed = True
        async with self._spawning:
            if self._process is not None:
                await self._process.bury()


def not_started(reason: str) -> SandboxOutcome:
    """Return the outcome of a run of which nothing was started; neither job nor plugin is to blame."""
    return SandboxOutcome(False, None, f"the run was not started: {reason}", "released", 0.0, "released")
