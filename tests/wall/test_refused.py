"""What cannot work behind the wall fails with the text that Python gives it, and the job says where to read on."""

import errno
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from forgesyte_plugin_runner.attempt.failure import failure_of
from forgesyte_sandbox.parent.zygote import Zygote
from tests.wall.jobs import PLUGINS, run_job

READ_ON = "'What your code may do' in docs/writing-a-plugin.md"
NO_SHELL = ("PermissionError", f"[Errno {errno.EACCES}] Permission denied: '/bin/sh'")
NO_SOCKET = ("PermissionError", f"[Errno {errno.EPERM}] Operation not permitted")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def zygote() -> AsyncIterator[Zygote]:
    async with Zygote.start(env={"PYTHONPATH": str(PLUGINS)}) as zygote:
        if not zygote.policy.landlock_abi:
            pytest.skip("this kernel has no Landlock, which keeps programs from being started")
        yield zygote


@pytest.mark.parametrize(
    ("tool", "found"),
    [
        pytest.param("shell", NO_SHELL, id="subprocess-with-a-shell"),
        pytest.param("system", NO_SHELL, id="os.system"),
        pytest.param("popen", NO_SHELL, id="os.popen"),
        pytest.param("program", ("PermissionError", "[Errno 13] Permission denied: '/bin/ls'"), id="another-program"),
        pytest.param("connection", NO_SOCKET, id="a-connection"),
        pytest.param("forkserver", NO_SOCKET, id="multiprocessing-forkserver"),
        # The socket is refused in the manager's own process, so the plugin sees a pipe that ends.
        pytest.param("manager", ("EOFError", "(no message)"), id="multiprocessing-Manager"),
    ],
)
async def test_what_is_refused_is_said_in_a_sentence(zygote, short_clip, tool, found):
    told = await run_job(zygote, "refused", short_clip, tools=(tool,))

    failure = failure_of(told.outcome, "refused")
    error_type, text = found
    assert failure.message.startswith(f"The plugin 'refused' raised {error_type} at frame 0: {text}. ")
    assert READ_ON in failure.message
