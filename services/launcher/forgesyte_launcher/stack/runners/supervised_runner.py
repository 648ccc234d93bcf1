"""A runner under supervision: it inherits a page in which its event loop stamps, and its deaths are reported."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from forgesyte_chassis.alive_page import AlivePage
from forgesyte_chassis.settings import env_name
from forgesyte_launcher.stack.process import ProcessSpec
from forgesyte_launcher.stack.stall import StallRule
from forgesyte_launcher.stack.supervisor import Backoff, Care, Death, Supervised, supervise
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.kill import OWNER_MARK, kill_marked

ALIVE_FD = env_name(RunnerSettings, "alive_fd")

BACKOFF = Backoff(first_s=0.1, most_s=2.0)
"""The longest wait is short: whatever killed the runner, the jobs of every other plugin wait for its next life."""


@asynccontextmanager
async def supervised_runner(
    spec: ProcessSpec, group: asyncio.TaskGroup, on_death: Callable[[Death], None]
) -> AsyncIterator[Supervised]:
    """Keep a runner running during the block; it is replaced when it dies, is stopped or stalls.

    Args:
        spec: what to run; the page is added.
        group: the task group of the supervising task.
        on_death: called after each death that was not asked for; it must return at once.
    """
    page = AlivePage()
    # A zygote that was stopped when its runner was killed, and what the sandboxes of a killed zygote had started, have
    # no ancestor left that would end them.
    owner = secrets.token_hex(16)
    care = Care(BACKOFF, StallRule(page), on_death, clean_up=partial(kill_marked, f"{OWNER_MARK}={owner}"))
    try:
        env = {**spec.env, ALIVE_FD: str(page.fd), OWNER_MARK: owner}
        with_page = replace(spec, env=env, keep_fds=(*spec.keep_fds, page.fd))
        async with supervise(with_page, group, care=care) as child:
            yield child
    finally:
        page.close()
