"""Warm sandboxes: real processes that serve one job after the other, and when they are replaced."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.pool import WarmKey, WarmPool, WarmRules
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import MIB
from forgesyte_sandbox.shared.specs import JobSpec
from tests.support import eventually

from ...conftest import LIMITS, PLUGINS, Bench

KEY = WarmKey("warm", "cpu")


class WarmBench:
    """Runs jobs in a pool."""

    def __init__(self, bench: Bench, pool: WarmPool):
        self.bench, self.pool = bench, pool

    async def job(self, leave="nothing", *, plugin="sandbox_warm_plugin:Warm", key=KEY, told=None, limits=LIMITS,
                  cancel=None, tool="leave", at=2, **spec):  # fmt: skip
        told = told or self.bench.told()
        order = JobSpec(**{
            "entry_point": plugin, "tools": [tool], "options": {"leave": {"leave": leave, "at": at}},
            "input": str(self.bench.clip), "job_id": "job-1", **spec,
        })  # fmt: skip

        def started(pid):
            told.pid = pid

        told.outcome = await self.pool.run(
            key,
            Order(
                order,
                limits=limits,
                on_message=told.said.append,
                on_started=started,
                cancel=cancel,
            ),
        )
        return told

    async def fault(self, fault, **changes):
        """Run the misbehaving plugin of the other tests; `changes` are limits."""
        return await self.job(
            plugin="sandbox_plugins:Faulty", key=WarmKey("faulty", "cpu"), tool="misbehave",
            options={"misbehave": {"fault": fault}}, limits=replace(LIMITS, **changes),
        )  # fmt: skip


@pytest.fixture
def opened(bench):
    """Open a pool with the test's own rules."""

    @asynccontextmanager
    async def open_(*, slots=2, **rules):
        async with WarmPool.open(bench.zygote, slots=slots, rules=WarmRules(**rules)) as pool:
            yield WarmBench(bench, pool)

    return open_


def facts(told):
    return told.rows[0]["detections"]["facts"]


def in_homes(bench):
    return [*bench.homes.glob("*/inbox/*"), *bench.homes.glob("*/scratch/*")]


def is_alive(pid):
    return Path(f"/proc/{pid}").exists()


async def test_the_second_job_runs_in_the_same_process_which_loaded_once(opened):
    async with opened() as warm:
        first, second = await warm.job(), await warm.job()

    assert first.outcome.ok, first.outcome
    assert second.outcome.ok, second.outcome
    assert first.pid == second.pid == second.rows[0]["detections"]["pid"]
    assert [row["detections"]["loads"] for row in second.rows] == [1] * 12


async def test_modules_of_the_plugin_stay_and_tools_are_new(opened):
    async with opened() as warm:
        told = [await warm.job() for _ in range(3)]

    assert [job.rows[0]["detections"]["jobs"] for job in told] == [1, 2, 3]
    assert [row["detections"]["frames"] for row in told[2].rows] == list(range(1, 13))


async def test_the_result_is_that_of_a_fresh_sandbox(opened, bench):
    fresh = await bench.job(tools=("measure", "count"))
    async with opened() as warm:
        for _ in range(2):
            told = await warm.job(plugin="sandbox_plugins:Good", tools=["measure", "count"], options={})

    assert told.rows == fresh.rows
    assert told.outcome.result == fresh.outcome.result
    assert [type(message) for message in told.said if not isinstance(message, messages.Timings)] == [
        type(message) for message in fresh.said if not isinstance(message, messages.Timings)
    ]


async def test_a_job_finds_nothing_of_the_job_before(opened):
    async with opened() as warm:
        first = await warm.job("changes")
        second = await warm.job()

    assert first.outcome.ok, first.outcome
    assert (second.outcome.ok, second.pid) == (True, first.pid), (warm.pool.retired, second.outcome)
    assert facts(second) == facts(first)
    assert facts(second)["is-in-scratch"] is True
    assert facts(second)["in-scratch"] == []
    assert facts(second)["home"] == ["made-by-load.txt"]


async def test_the_log_tail_is_the_jobs_own(opened):
    async with opened() as warm:
        first, second = await warm.job("output"), await warm.job()

    assert "secret" in first.outcome.log_tail
    assert second.pid == first.pid
    assert second.outcome.log_tail == ""


@pytest.mark.parametrize("leave", ["thread", "process", "file", "memory"])
async def test_what_cannot_be_restored_replaces_the_sandbox_and_not_the_result(opened, leave):
    async with opened(drift_bytes=32 * MIB) as warm:
        first = await warm.job(leave)
        alive = is_alive(first.pid)
        second = await warm.job()

    assert first.outcome.ok, first.outcome
    assert not alive
    assert second.outcome.ok
    assert second.pid != first.pid
    assert facts(second) == facts(first)


async def test_a_lowered_hard_limit_is_raised_again_or_the_sandbox_replaced(opened):
    async with opened() as warm:
        first, second = await warm.job("hard-limit"), await warm.job()

    assert first.outcome.ok
    assert facts(second) == facts(first)


async def test_a_thread_that_ends_by_itself_is_waited_for(opened):
    async with opened() as warm:
        first, second = await warm.job("short-thread", at=11), await warm.job()

    assert first.pid == second.pid


@pytest.mark.parametrize(
    ("leave", "kind", "changes"),
    [
        pytest.param("exit", "crashed", {}, id="crash"),
        pytest.param("raise", "failed", {}, id="exception"),
        pytest.param("hang", "timeout", {"frame_timeout_s": 2}, id="timeout"),
        pytest.param("much-memory", "oom", {}, id="oom"),
    ],
)
async def test_a_fault_in_a_later_job_replaces_the_sandbox(opened, survivors, bench, leave, kind, changes):
    async with opened() as warm:
        before = await warm.job()
        faulty = await warm.job(leave, limits=replace(LIMITS, **changes))
        left = survivors(bench.homes)
        after = await warm.job()

    assert faulty.pid == before.pid
    assert (faulty.outcome.kind, faulty.outcome.frame) == (kind, 2), faulty.outcome
    assert left == []
    assert after.outcome.ok
    assert after.pid != before.pid
    assert after.rows[0]["detections"]["jobs"] == 1


async def test_each_job_has_its_allowance_above_what_was_loaded(opened):
    async with opened() as warm:
        told = [
            await warm.job(
                plugin="sandbox_plugins:LoadsMuch",
                tool="measure",
                options={},
                limits=replace(LIMITS, memory_bytes=128 * MIB),
            )
            for _ in range(3)
        ]

    assert [job.outcome.kind for job in told] == ["succeeded"] * 3
    assert len({job.pid for job in told}) == 1


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        pytest.param({"options": {"leave": {"at": "soon"}}}, Code.OPTIONS_INVALID, id="options"),
        pytest.param({"tools": ["no-such"]}, Code.TOOL_UNKNOWN, id="tool"),
        pytest.param({"input": __file__}, Code.MEDIA_INVALID, id="media"),
    ],
)
async def test_an_order_that_is_refused_costs_no_sandbox(opened, spec, code):
    async with opened() as warm:
        first = await warm.job()
        refused = await warm.job(**spec)
        after = await warm.job()

    assert (refused.outcome.kind, refused.outcome.code) == ("failed", code)
    assert first.pid == refused.pid == after.pid
    assert after.outcome.ok


async def test_a_sandbox_serves_so_many_jobs_and_no_more(opened):
    async with opened(jobs=3) as warm:
        pids = [(await warm.job()).pid for _ in range(7)]

        assert warm.pool.retired == {"jobs": 2}
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


@pytest.mark.slow
async def test_the_default_is_100_jobs(opened, picture_file):
    async with opened() as warm:
        pids = [(await warm.job(input=str(picture_file), kind="image", at=1)).pid for _ in range(101)]

    assert len(set(pids[:100])) == 1
    assert pids[100] != pids[0]
    assert WarmRules().jobs == 100


async def test_the_death_of_an_idle_sandbox_is_noticed_without_a_job(opened):
    async with opened() as warm:
        first = await warm.job()
        os.kill(first.pid, signal.SIGKILL)
        await eventually(lambda: warm.pool.processes() == {})
        after = await warm.job()

        assert warm.pool.retired == {"died": 1}
    assert after.outcome.ok
    assert after.pid != first.pid


async def test_a_sandbox_that_dies_as_a_job_comes_is_no_fault_of_the_job(opened):
    async with opened() as warm:
        first = await warm.job()
        os.kill(first.pid, signal.SIGKILL)  # nothing is awaited before the next job: the pool does not know yet
        after = await warm.job()

    assert after.outcome.ok, after.outcome
    assert after.pid != first.pid


@pytest.mark.slow
async def test_a_sandbox_that_was_stopped_while_idle_is_no_fault_of_the_job(opened, monkeypatch):
    from forgesyte_sandbox.parent import watchdog

    monkeypatch.setattr(watchdog, "_TAKE_LIMIT_S", 2.0)
    async with opened() as warm:
        first = await warm.job()
        os.kill(first.pid, signal.SIGSTOP)
        after = await warm.job()

    assert after.outcome.ok, after.outcome
    assert after.pid != first.pid
    assert not is_alive(first.pid)


async def test_an_idle_sandbox_is_ended_after_its_time(opened, bench):
    async with opened(idle_s=0.1) as warm:
        first = await warm.job()

        await eventually(lambda: warm.pool.processes() == {} and not is_alive(first.pid))
        assert warm.pool.retired == {"idle": 1}
        await eventually(lambda: in_homes(bench) == [])
        assert (await warm.job()).outcome.ok


async def test_two_jobs_at_once_have_two_sandboxes_and_both_stay_warm(opened):
    async with opened() as warm:
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(warm.job()) for _ in range(2)]
        pids = {run.result().pid for run in runs}
        assert warm.pool.processes() == {KEY: (2, 0)}
        later = await warm.job()

    assert len(pids) == 2
    assert later.pid in pids


async def test_idle_and_busy_sandboxes_are_never_more_than_the_slots(opened):
    other = WarmKey("good", "cpu")
    async with opened(slots=1) as warm:
        first = await warm.job()
        second = await warm.job(plugin="sandbox_plugins:Good", key=other, tool="measure", options={})

        assert not is_alive(first.pid)
        assert warm.pool.processes() == {other: (1, 0)}
        assert is_alive(second.pid)


async def test_cancel_kills_a_warm_sandbox_at_once(opened, bench, survivors):
    told, cancel = bench.told(), asyncio.Event()
    async with opened() as warm:
        await warm.job()
        async with asyncio.TaskGroup() as group:
            run = group.create_task(warm.job("hang", told=told, cancel=cancel))
            await eventually(lambda: len(told.rows) == 2)
            cancel.set()

        assert (run.result().outcome.kind, run.result().outcome.code) == ("cancelled", Code.CANCELLED)
        assert survivors(bench.homes) == []


async def test_a_cancelled_caller_leaves_nothing_alive(opened, bench, survivors):
    told = bench.told()
    async with opened() as warm:
        async with asyncio.TaskGroup() as group:
            run = group.create_task(warm.job("hang", told=told))
            await eventually(lambda: len(told.rows) == 2)
            run.cancel()

        assert survivors(bench.homes) == []
        assert warm.pool.processes() == {}


async def test_a_message_handler_that_raises_ends_the_sandbox(opened, bench, survivors):
    order = JobSpec("sandbox_warm_plugin:Warm", ["leave"], str(bench.clip), "j")
    async with opened() as warm:
        await warm.job()
        with pytest.raises(ZeroDivisionError):
            await warm.pool.run(KEY, Order(order, limits=LIMITS, on_message=lambda _: 1 // 0))

        assert survivors(bench.homes) == []


async def test_what_load_started_lives_with_the_sandbox_and_dies_with_it(opened, bench, survivors):
    helper = WarmKey("helper", "cpu")
    async with opened() as warm:
        told = [await warm.job(plugin="sandbox_warm_plugin:StartsAHelperAtLoad", key=helper) for _ in range(2)]

        assert told[0].pid == told[1].pid
        assert len(survivors(bench.homes)) == 2
    assert survivors(bench.homes) == []


async def test_leaving_the_pool_leaves_no_process_no_file_and_no_descriptor(opened, bench, survivors):
    before = set(Path("/proc/self/fd").iterdir())
    async with opened() as warm, asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(warm.job())

    assert survivors(bench.homes) == []
    assert in_homes(bench) == []
    assert set(Path("/proc/self/fd").iterdir()) <= before, "none is new; one of an earlier test may be closed meanwhile"


async def test_reload_ends_idle_sandboxes_now_and_busy_ones_after_their_job(opened, bench):
    told = bench.told()
    async with opened() as warm:
        async with asyncio.TaskGroup() as group:
            busy = group.create_task(warm.job("wait", told=told))
            await eventually(lambda: told.rows)
            warm.pool.retire("warm")
            for folder in bench.homes.glob("*/scratch/job"):
                (folder / "go").touch()
        assert busy.result().outcome.ok
        assert not is_alive(told.pid)
        idle = await warm.job()
        warm.pool.retire("warm")

        await eventually(lambda: not is_alive(idle.pid))
        assert warm.pool.retired == {"reload": 2}


@pytest.mark.parametrize(
    ("plugin", "error_type", "code"),
    [
        ("FailsToConstruct", "ValueError", Code.PLUGIN_ERROR),
        ("FailsToLoad", "RuntimeError", Code.PLUGIN_ERROR),
        ("LacksAtLoad", "PluginUnavailable", Code.PLUGIN_UNAVAILABLE),
    ],
)
async def test_what_fails_in_load_is_reported_as_in_a_fresh_sandbox(opened, plugin, error_type, code):
    async with opened() as warm:
        told = await warm.job(plugin=f"sandbox_plugins:{plugin}", tool="measure", options={})

        assert warm.pool.processes() == {}
    assert (told.outcome.kind, told.outcome.error_type, told.outcome.code) == ("failed", error_type, code)


async def test_load_has_its_own_time_and_memory(opened):
    async with opened() as warm:
        hangs = await warm.job(
            plugin="sandbox_plugins:HangsAtLoad", tool="measure", limits=replace(LIMITS, load_timeout_s=0.5)
        )
        eats = await warm.job(
            plugin="sandbox_plugins:LoadsMuch", tool="measure", limits=replace(LIMITS, load_memory_bytes=128 * MIB)
        )

    assert (hangs.outcome.kind, hangs.outcome.frame) == ("timeout", None)
    assert "loading the plugin" in hangs.outcome.error
    assert (eats.outcome.kind, eats.outcome.frame) == ("oom", None)


async def test_a_warm_start_is_distinguished_from_a_cold_one(opened):
    async with opened() as warm:
        first, second = [await warm.job(plugin="sandbox_warm_plugin:LoadsSlowly") for _ in range(2)]

    assert first.outcome.start_ms >= 1000
    assert second.outcome.start_ms < first.outcome.start_ms
    assert (first.outcome.was_warm, second.outcome.was_warm) == (False, True)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["garbage", "garbage-kind", "half-message", "close-everything", "family-segfault"])
async def test_a_broken_pipe_or_a_left_family_ends_as_in_a_fresh_sandbox(opened, bench, survivors, fault):
    async with opened() as warm:
        told = await warm.fault(fault)
        after = await warm.fault("none")

        assert told.outcome.kind == "crashed", told.outcome
        assert after.outcome.ok
        assert told.pid != after.pid
    assert survivors(bench.homes) == []


@pytest.mark.slow
async def test_kill_9_of_the_zygote_releases_what_runs_removes_what_is_idle_and_the_next_job_works(
    opened, bench, survivors
):
    told = bench.told()
    async with opened() as warm:
        await warm.job()
        async with asyncio.TaskGroup() as group:
            run = group.create_task(warm.job("hang", told=told))
            other = group.create_task(warm.job())
            await other
            await eventually(lambda: len(told.rows) == 2)
            os.kill(bench.zygote.pid, signal.SIGKILL)
        assert warm.pool.processes() == {}
        await eventually(lambda: not survivors(bench.homes))
        after = await warm.job()

        assert (run.result().outcome.kind, run.result().outcome.code) == ("surroundings", None)
        assert after.outcome.ok


@pytest.mark.slow
async def test_leaving_the_zygote_releases_a_warm_job(tmp_path, clip, survivors):
    async with asyncio.TaskGroup() as group, Zygote.start(env={"PYTHONPATH": str(PLUGINS)}) as zygote:
        bench = Bench(zygote, tmp_path, clip)
        told = bench.told()
        async with WarmPool.open(zygote, slots=1) as pool:
            run = group.create_task(WarmBench(bench, pool).job("hang", told=told))
            await eventually(lambda: len(told.rows) == 2)

    assert run.result().outcome.kind == "released"
    assert survivors(zygote.homes.root) == []
