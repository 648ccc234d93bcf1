import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from forgesyte_launcher.stack.process import ProcessSpec, spawn, stop
from tests.support import alive, eventually

SAYS_READY = "print('ready', flush=True); "
SLEEPS = SAYS_READY + "import time; time.sleep(600)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS
HAS_A_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {IGNORES_SIGTERM!r}]).wait()"
PARENT = """
import asyncio, sys
from pathlib import Path
from forgesyte_launcher.stack.process import ProcessSpec, spawn

async def main():
    process = await spawn(ProcessSpec("child", ("/bin/sleep", "600"), Path(sys.argv[1])))
    print(process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def a_spec(folder: Path, code: str = SLEEPS, **changes) -> ProcessSpec:
    return ProcessSpec("child", (sys.executable, "-c", code), folder / "child.log", **changes)


async def started(spec: ProcessSpec):
    process = await spawn(spec)
    await eventually(lambda: "ready" in spec.log_file.read_text(), what="the child runs its code")
    return process


async def test_a_child_ends_by_sigterm_when_it_listens(tmp_path):
    process = await started(a_spec(tmp_path))

    assert await stop(process, grace_s=20) == -signal.SIGTERM


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    process = await started(a_spec(tmp_path, IGNORES_SIGTERM))

    assert await stop(process, grace_s=0.05) == -signal.SIGKILL


async def test_a_kill_includes_the_processes_that_the_child_started(tmp_path):
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + HAS_A_CHILD
    process = await started(a_spec(tmp_path, code))
    tree = psutil.Process(process.pid).children(recursive=True)

    await stop(process, grace_s=0.05)

    assert tree
    await eventually(lambda: not alive(tree), what="the grandchild is dead")


async def test_a_child_is_killed_and_reaped_also_without_a_descriptor_to_look_for_what_it_started(
    tmp_path, monkeypatch
):
    process = await started(a_spec(tmp_path, IGNORES_SIGTERM))

    def refuse(_pid):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(psutil, "Process", refuse)

    assert await stop(process, grace_s=0.05) == -signal.SIGKILL


async def test_a_child_that_has_already_ended_is_reaped(tmp_path):
    process = await spawn(a_spec(tmp_path, "raise SystemExit(3)"))
    await process.wait()

    assert await stop(process, grace_s=5) == 3


async def test_a_child_leads_a_session_of_its_own_and_has_no_terminal_input(tmp_path):
    process = await started(a_spec(tmp_path))

    assert os.getsid(process.pid) == process.pid
    assert Path(f"/proc/{process.pid}/fd/0").readlink() == Path("/dev/null")
    await stop(process, grace_s=20)


async def test_output_and_settings_reach_the_child_and_its_log(tmp_path):
    spec = a_spec(
        tmp_path, "import os, sys; print(os.environ['ROOM']); print('oops', file=sys.stderr)", env={"ROOM": "x"}
    )

    await (await spawn(spec)).wait()

    assert spec.log_file.read_text().split() == ["x", "oops"]
    assert spec.log_file.stat().st_mode & 0o777 == 0o600


async def test_children_are_refused_outside_of_the_main_thread(tmp_path):
    raised: list[RuntimeError] = []

    def elsewhere() -> None:
        try:
            spawn(a_spec(tmp_path)).send(None)
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert "main thread" in str(raised[0])


async def test_a_killed_parent_leaves_no_child(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

    await eventually(lambda: not alive([child]), what="the child died with its parent")


@pytest.mark.parametrize("program", ["/nonexistent/program"])
async def test_a_missing_program_is_an_error_at_once(tmp_path, program):
    with pytest.raises(FileNotFoundError):
        await spawn(ProcessSpec("child", (program,), tmp_path / "log"))
