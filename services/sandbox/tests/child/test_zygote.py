"""The zygote's own life: it dies, is replaced, and leaves nothing behind."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_sandbox.parent import zygote as zygote_module
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.process_tree import children_of
from forgesyte_sandbox.shared.specs import ManifestSpec
from forgesyte_sandbox.shared.wall_rules import WallRules
from tests.support import eventually

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.mark.slow
async def test_kill_9_of_the_zygote_ends_its_runs_without_a_death_and_the_next_run_works(bench, survivors):
    told = bench.told()
    first_pid = bench.zygote.pid

    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.fault("family-hang", told=told))
        await eventually(lambda: any(file.read_text() for file in bench.homes.glob("*/scratch/*.pid")))
        os.kill(first_pid, signal.SIGKILL)
    left = survivors(bench.homes)
    after = await bench.job()

    assert (run.result().outcome.kind, run.result().outcome.code) == ("surroundings", None)
    assert run.result().outcome.was_interrupted
    assert left == []
    assert after.outcome.ok
    assert bench.zygote.pid != first_pid


@pytest.mark.parametrize(
    ("part", "words"),
    [("bring_in", "its files cannot be given to it"), ("Sandbox", "its pipes cannot be made")],
)
async def test_a_service_without_a_descriptor_to_spare_blames_no_job_and_leaves_no_process(
    bench, monkeypatch, part, words
):
    await bench.job()

    class Refuses:
        async def __call__(self, *_args):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        fork = __call__

    with monkeypatch.context() as patched:
        patched.setattr(zygote_module, part, Refuses())
        outcome = (await bench.job()).outcome
    assert (outcome.kind, outcome.code) == ("released", None)
    assert words in outcome.error
    assert children_of(bench.zygote.pid) == set()

    assert (await bench.job()).outcome.ok


@pytest.mark.slow
async def test_a_sandbox_that_wiped_its_environment_dies_with_its_zygote_without_a_uid_too(tmp_path, clip, survivors):
    from ..conftest import Bench

    wall = WallRules(uids=None, is_required=False)
    async with Zygote.start(env={"PYTHONPATH": str(PLUGINS)}, wall=wall) as zygote, asyncio.TaskGroup() as group:
        bench = Bench(zygote, tmp_path, clip)
        run = group.create_task(bench.fault("hide"))
        await eventually(lambda: any(file.read_text() for file in bench.homes.glob("*/scratch/hidden.pid")))
        neighbour = subprocess.Popen(["sleep", "600"], start_new_session=True)
        os.kill(zygote.pid, signal.SIGKILL)
        await run

        assert survivors(bench.homes) == []
        assert neighbour.poll() is None
        neighbour.kill()
        neighbour.wait()


@pytest.mark.slow
async def test_a_zygote_that_died_while_idle_is_replaced_by_the_next_run(bench):
    os.kill(bench.zygote.pid, signal.SIGKILL)

    told = await bench.job()

    assert told.outcome.ok


@pytest.mark.slow
async def test_leaving_the_context_releases_what_runs_and_leaves_nothing_alive(tmp_path, clip, survivors):
    from ..conftest import Bench

    async with asyncio.TaskGroup() as group, Zygote.start(env={"PYTHONPATH": str(PLUGINS)}) as zygote:
        bench = Bench(zygote, tmp_path, clip)
        told = bench.told()
        run = group.create_task(bench.fault("ignore-sigterm", told=told))
        await eventually(lambda: len(told.rows) == 2)
        pid = zygote.pid

    assert run.result().outcome.kind == "released"
    assert survivors(zygote.homes.root) == []
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
async def test_a_dead_parent_takes_everything_along(tmp_path, clip, survivors):
    # The zygote runs in its starter's folder, so it counts as a survivor until it has exited.
    program = f"""
import asyncio
from pathlib import Path
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote

async def main():
    options = {{"misbehave": {{"fault": "family-hang"}}}}
    spec = JobSpec("sandbox_plugins:Faulty", ["misbehave"], {str(clip)!r}, "j", options=options)
    async with Zygote.start(env={{"PYTHONPATH": {str(PLUGINS)!r}}}, homes=Path("homes")) as zygote:
        await zygote.run(Order(spec, limits=Limits()))

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path) as parent:
        await eventually(lambda: any(file.read_text() for file in tmp_path.glob("homes/*/scratch/daemon-1.pid")), 60)
        parent.kill()
        parent.wait()

    await eventually(lambda: not survivors(tmp_path))


async def test_the_zygote_has_one_thread_and_no_plugin(bench):
    await bench.job()

    threads = list(Path(f"/proc/{bench.zygote.pid}/task").iterdir())
    maps = Path(f"/proc/{bench.zygote.pid}/maps").read_text()
    assert len(threads) == 1
    assert "libavcodec" in maps
    assert children_of(bench.zygote.pid) == set()


async def test_ten_runs_at_once_each_get_their_own_rows(bench):
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(bench.job()) for _ in range(10)]

    assert [len(run.result().rows) for run in runs] == [12] * 10


async def test_a_run_leaves_no_descriptor_open_in_the_parent(bench):
    await bench.job()
    before = set(Path("/proc/self/fd").iterdir())

    for fault in ("none", "segfault", "raise"):
        await bench.fault(fault)

    assert set(Path("/proc/self/fd").iterdir()) <= before, "none is new; one of an earlier test may be closed meanwhile"


async def test_the_zygote_can_only_be_started_from_the_main_thread():
    async def start():
        async with Zygote.start():
            pass

    with pytest.raises(RuntimeError, match="main thread"):
        await asyncio.to_thread(asyncio.run, start())


async def test_an_interpreter_that_cannot_start_is_reported(tmp_path):
    with pytest.raises(ForgeSyteError, match="forgesyte doctor"):
        async with Zygote.start(env={"PYTHONHOME": str(tmp_path)}):
            pass


@pytest.mark.slow
async def test_a_run_on_a_closed_zygote_is_released():
    async with Zygote.start() as zygote:
        pass

    outcome = await zygote.run(Order(ManifestSpec("sandbox_plugins:Good"), limits=Limits()))

    assert outcome.kind == "released"


@pytest.mark.slow
async def test_it_works_under_uvloop(tmp_path, clip):
    program = f"""
import asyncio, sys, uvloop
from pathlib import Path
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote

async def main():
    spec = JobSpec("sandbox_plugins:Good", ["measure"], {str(clip)!r}, "j")
    async with Zygote.start(env={{"PYTHONPATH": {str(PLUGINS)!r}}}) as zygote:
        outcome = await zygote.run(Order(spec, limits=Limits()))
    sys.exit(0 if outcome.ok and outcome.result["rows"] == 12 else 1)

uvloop.run(main())
"""
    assert subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=False).returncode == 0


def test_the_parent_side_imports_no_media_library_and_no_sdk():
    program = (
        "import sys, forgesyte_sandbox.parent.zygote\n"
        "heavy = {'av', 'cv2', 'numpy', 'torch', 'forgesyte_sdk'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


@pytest.mark.slow
async def test_a_zygote_with_more_than_one_thread_refuses_to_fork(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    with pytest.raises(ForgeSyteError, match="2 threads"):
        async with Zygote.start(env={"PYTHONPATH": str(tmp_path)}):
            pass


@pytest.mark.slow
async def test_a_stopped_zygote_is_replaced(bench, monkeypatch):
    from forgesyte_sandbox.parent import zygote_process

    monkeypatch.setattr(zygote_process, "_FORK_LIMIT_S", 2.0)  # the healthy one that follows must meet it too
    monkeypatch.setattr(zygote_process, "_LEAVE_LIMIT_S", 0.2)
    stopped_pid = bench.zygote.pid
    os.kill(stopped_pid, signal.SIGSTOP)

    told = await bench.job()

    assert told.outcome.ok, told.outcome
    assert bench.zygote.pid != stopped_pid


@pytest.mark.slow
async def test_a_zygote_that_is_stopped_under_a_run_is_found_and_the_run_ends_as_surroundings(bench, survivors):
    told = bench.told()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.fault("ignore-sigterm", told=told))
        await eventually(lambda: len(told.rows) == 2)
        os.kill(bench.zygote.pid, signal.SIGSTOP)

    outcome = run.result().outcome
    assert (outcome.kind, outcome.frame) == ("surroundings", 2)
    assert outcome.clause == "the process that runs its sandbox (the zygote) was stopped and was killed"
    assert survivors(bench.folder) == []
    assert (await bench.job()).outcome.ok


async def test_a_zygote_that_died_is_replaced_without_a_run_where_it_is_kept(bench):
    first_pid = bench.zygote.pid
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(bench.zygote.keep())
        os.kill(first_pid, signal.SIGKILL)

        await eventually(lambda: bench.zygote.pid not in (None, first_pid) and bench.zygote.calm_s > 0)

        keeping.cancel()


async def test_a_sigterm_while_the_parent_lives_does_not_end_the_zygote(bench):
    pid = bench.zygote.pid
    os.kill(pid, signal.SIGTERM)

    told = await bench.job()

    assert told.outcome.ok
    assert bench.zygote.pid == pid
