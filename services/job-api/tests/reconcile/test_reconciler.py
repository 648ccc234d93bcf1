"""The reconciler over a real bus and store: lost work, dead ends, copies, purges, orphans; one replica and two."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob, record_blob
from forgesyte_contracts.warnings import JobWarning
from forgesyte_job_api.reconcile.ended_jobs import Endings
from forgesyte_job_api.reconcile.lost_work import Resender
from forgesyte_job_api.reconcile.orphans import Orphans
from tests.support import eventually

AT_ONCE = {"resend_after_s": 0, "judge_after_s": 0, "record_copy_after_s": 0, "broken_plugin_s": 0}
"""No waits; the test itself calls the rounds."""


def endings_of(api) -> Endings:
    state = api.state
    return Endings(api.bus, state.archive, state.clock, state.metrics, copy_after_s=0, purge_after_s=0)


def orphans_of(api) -> Orphans:
    return Orphans(api.bus, api.store, api.state.projection, api.state.clock, after_s=24 * 3600)


async def sent_to(api, record) -> bool:
    return await api.bus.work.has(record.job_id, record.plugin_id, record.device)


async def test_a_publish_that_failed_is_repeated(start, monkeypatch):
    async with start(resend_after_s=0, reconcile_every_s=0.05) as api:
        await api.beat()
        publish = api.bus.work.publish

        async def refuse(*_args):
            raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "no")

        monkeypatch.setattr(api.bus.work, "publish", refuse)
        answer = await api.submit()
        assert answer.status_code == 202

        monkeypatch.setattr(api.bus.work, "publish", publish)

        await eventually(lambda: api.bus.work.has(answer.json()["job_id"], "motion", "cpu"))


async def test_a_running_job_without_work_message_is_sent_again(start, make):
    async with start(**AT_ONCE) as api:
        record = await api.put(moves.claimed(make.a_record(), "dead-runner", make.NOW))

        await api.state.reconciler().round()

        assert await sent_to(api, record)


async def test_running_jobs_are_not_judged_before_the_bus_was_connected_long_enough(start, make):
    async with start(**{**AT_ONCE, "judge_after_s": 3600}) as api:
        running = await api.put(moves.claimed(make.a_record(), "runner-1", make.NOW))
        pending = await api.put(make.a_record())

        await api.state.reconciler().round()

        assert not await sent_to(api, running)
        assert await sent_to(api, pending)


async def test_a_job_younger_than_the_limit_is_left_alone(start, make):
    clock = make.HandClock()
    async with start(**{**AT_ONCE, "resend_after_s": 10}, clock=clock) as api:
        record = await api.put(make.a_record())
        reconciler = api.state.reconciler()
        clock.passed_s = 9.9
        await reconciler.round()
        assert not await sent_to(api, record)

        clock.passed_s = 10.1
        await reconciler.round()

        assert await sent_to(api, record)


async def test_two_replicas_send_a_lost_job_once(start, make, monkeypatch):
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(start(**AT_ONCE)) for _ in range(2)]
        record = await one.put(make.a_record())
        await eventually(lambda: two.state.projection.get(record.job_id))
        sent = []
        for api in (one, two):
            publish = api.bus.work.publish

            async def counted(*args, publish=publish):
                sent.append(await publish(*args))
                return sent[-1]

            async def nothing_there(*_args):
                return False

            monkeypatch.setattr(api.bus.work, "publish", counted)
            monkeypatch.setattr(api.bus.work, "has", nothing_there)

        await one.state.reconciler().round()
        await two.state.reconciler().round()

        assert sent == [True, False]


async def test_a_job_that_ended_meanwhile_is_not_sent(start, make):
    async with start(**AT_ONCE) as api:
        record = await api.put(make.a_record())
        seen = api.state.projection.get(record.job_id)
        await api.bus.jobs.change(record.job_id, lambda r: moves.cancelled(r, make.NOW))
        resender = Resender(api.bus, api.state.projection, api.state.clock, after_s=0)

        was_sent = await resender.look_at(seen, may_judge_owner=True)

        assert not was_sent
        assert not await sent_to(api, record)


@pytest.mark.parametrize("state", [PluginState.FAILED, PluginState.UNAVAILABLE])
async def test_a_pending_job_ends_when_its_plugin_is_broken_everywhere(start, make, state):
    async with start(**AT_ONCE) as api:
        record = await api.put(make.a_record())
        await api.beat(make.a_plugin(state=state, reason="no model file", manifest=None))

        await api.state.reconciler().round()

        ended = (await api.bus.jobs.get(record.job_id)).record
        assert (ended.status, ended.error_code) == ("failed", "PLUGIN_UNAVAILABLE")
        assert "no model file" in ended.error_message
        assert not await sent_to(api, record)
        assert await api.store.size(record_blob(record.job_id)) is not None


async def test_a_pending_job_stays_while_one_runner_can_run_it_and_a_running_one_stays_anyway(start, make):
    async with start(**AT_ONCE) as api:
        pending = await api.put(make.a_record())
        running = await api.put(moves.claimed(make.a_record(plugin_id="ocr"), "runner-1", make.NOW))
        broken = [make.a_plugin(name, state=PluginState.FAILED, manifest=None) for name in ("motion", "ocr")]
        await api.beat(*broken)
        await api.beat(make.a_plugin(), runner_id="runner-2")

        await api.state.reconciler().round()

        assert (await api.bus.jobs.get(pending.job_id)).record.status == "pending"
        assert (await api.bus.jobs.get(running.job_id)).record.status == "running"


@pytest.mark.parametrize("why", ["given back", "owner dead"])
async def test_a_running_job_without_a_living_owner_ends_when_its_plugin_is_broken_everywhere(start, make, why):
    """No runner will ever pull its work message, so only the reconciler can end it."""
    async with start(**AT_ONCE) as api:
        record = moves.claimed(make.a_record(), "dead-runner", make.NOW)
        record = await api.put(moves.released(record, 10, make.NOW) if why == "given back" else record)
        await api.beat(make.a_plugin(state=PluginState.FAILED, reason="no model file", manifest=None))

        await api.state.reconciler().round()

        ended = (await api.bus.jobs.get(record.job_id)).record
        assert (ended.status, ended.error_code) == ("failed", "PLUGIN_UNAVAILABLE")
        assert ended.attempts[-1].outcome == ("released" if why == "given back" else "surroundings")


async def test_a_day_without_a_runner_is_counted_over_rounds_in_which_the_projection_was_behind(
    start, make, monkeypatch
):
    clock = make.HandClock()
    async with start(**{**AT_ONCE, "absent_plugin_s": 86400}, clock=clock) as api:
        record = await api.put(make.a_record(plugin_id="not-installed"))
        reconciler = api.state.reconciler()
        await reconciler.round()
        with monkeypatch.context() as behind:
            behind.setattr(type(api.state.projection), "is_current", False)
            await reconciler.round()
        clock.passed_s = 86401

        await reconciler.round()

        assert (await api.bus.jobs.get(record.job_id)).record.status == "failed"


@pytest.mark.slow
async def test_a_day_without_a_runner_is_counted_from_zero_after_the_bus_was_unavailable(start, make):
    clock = make.HandClock()
    async with start(**{**AT_ONCE, "absent_plugin_s": 86400}, clock=clock) as api:
        record = await api.put(make.a_record(plugin_id="not-installed"))
        reconciler = api.state.reconciler()
        await reconciler.round()
        await api.server.restart()
        await eventually(lambda: api.bus.is_connected and api.state.projection.is_current)
        clock.passed_s = 86401

        await reconciler.round()

        assert (await api.bus.jobs.get(record.job_id)).record.status == "pending"


async def test_a_job_of_which_the_bus_knows_an_older_state_than_was_seen_is_taken_from_the_bus(start, make):
    async with start(**AT_ONCE) as api:
        record = await api.put(make.a_record())
        ahead = api.state.projection.get(record.job_id).revision + 100
        api.state.projection.apply(record.job_id, moves.warned(record, [JobWarning(text="of another time")]), ahead)

        await api.state.reconciler().round()
        await api.state.reconciler().round()

        assert api.state.projection.get(record.job_id).record == record
        assert await sent_to(api, record)


@pytest.mark.slow
async def test_a_bus_that_came_back_from_an_older_copy_is_believed(start, make):
    async with start(resend_after_s=0, judge_after_s=0, reconcile_every_s=0.1) as api:
        stays = await api.put(make.a_record())
        api.server.kill()
        folder = api.server.folder
        await asyncio.to_thread(shutil.copytree, folder / "jetstream", folder / "copy")
        await api.server.start()
        await api.bus.wait_connected(60)
        for number in range(5):
            await api.bus.jobs.change(stays.job_id, lambda r, n=number: moves.warned(r, [JobWarning(text=str(n))]))
        vanished = await api.put(make.a_record())
        await eventually(lambda: len(api.state.projection.get(stays.job_id).record.warnings) == 5)

        api.server.kill()
        await asyncio.to_thread(shutil.rmtree, folder / "jetstream")
        await asyncio.to_thread(shutil.move, folder / "copy", folder / "jetstream")
        await api.server.start()
        await api.bus.wait_connected(60)

        await eventually(lambda: api.state.projection.get(vanished.job_id) is None, 60)
        await api.bus.jobs.change(stays.job_id, lambda r: moves.cancelled(r, make.NOW))

        async def is_told():
            return (await api.http.get(f"/v1/jobs/{stays.job_id}")).json()["status"] == "cancelled"

        await eventually(is_told, 60)


async def test_a_pending_job_ends_when_no_runner_offered_its_plugin_for_a_day(start, make):
    clock = make.HandClock()
    async with start(**{**AT_ONCE, "absent_plugin_s": 86400}, clock=clock) as api:
        record = await api.put(make.a_record(plugin_id="not-installed"))
        reconciler = api.state.reconciler()
        await reconciler.round()
        clock.passed_s = 86399
        await reconciler.round()
        assert (await api.bus.jobs.get(record.job_id)).record.status == "pending"

        clock.passed_s = 86401
        await reconciler.round()

        assert (await api.bus.jobs.get(record.job_id)).record.status == "failed"


async def test_an_ended_job_gets_its_record_copied_and_its_work_taken_back(start, make):
    async with start(**AT_ONCE) as api:
        record = make.a_record(completed_at=None)
        await api.bus.work.publish(record.job_id, record.plugin_id, record.device)
        record = await api.put(moves.cancelled(record, api.state.clock.now()))

        await api.state.reconciler().round()

        assert (await api.state.archive.record(record.job_id)).status == "cancelled"
        assert not await sent_to(api, record)
        assert await api.bus.jobs.get(record.job_id) is not None


async def test_a_record_leaves_the_bus_an_hour_after_its_end_and_stays_listed_and_readable(start, make):
    clock = make.HandClock()
    async with start(**AT_ONCE, clock=clock) as api:
        record = await api.put(moves.cancelled(make.a_record(), clock.now()))
        reconciler = api.state.reconciler()
        clock.passed_s = 3599
        await reconciler.round()
        assert await api.bus.jobs.get(record.job_id) is not None

        clock.passed_s = 3601
        await reconciler.round()

        assert await api.bus.jobs.get(record.job_id) is None
        await eventually(lambda: api.state.projection.get(record.job_id).is_gone)
        assert (await api.http.get("/v1/jobs")).json()["count"] == 1
        assert (await api.http.get(f"/v1/jobs/{record.job_id}")).json()["status"] == "cancelled"


async def test_two_replicas_purge_the_same_record_without_harm(start, make):
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(start(**AT_ONCE, purge_record_after_s=0)) for _ in range(2)]
        record = await replicas[0].put(moves.cancelled(make.a_record(), make.NOW))
        await eventually(lambda: replicas[1].state.projection.get(record.job_id))
        seen = [api.state.projection.get(record.job_id) for api in replicas]

        for api, known in zip(replicas, seen, strict=True):
            await endings_of(api).look_at(known)

        assert await replicas[0].bus.jobs.get(record.job_id) is None


def an_id_made(clock, *, ago: timedelta):
    return new_job_id(time_ms=int((clock.now() - ago).timestamp() * 1000))


async def test_blobs_without_a_record_go_once_they_are_old(start, make):
    clock = make.HandClock()
    async with start(**AT_ONCE, clock=clock) as api:
        old, young, living, ended = [an_id_made(clock, ago=timedelta(hours=h)) for h in (25, 23, 25, 25)]
        for job_id in (old, young, living, ended):
            await api.store.put(input_blob(job_id), b"media")
        await api.put(make.a_record(job_id=living))
        await api.store.put(record_blob(ended), b"{}")

        removed = await orphans_of(api).sweep()

        assert removed == [old]
        assert await api.store.size(input_blob(old)) is None
        assert [await api.store.size(input_blob(job_id)) for job_id in (young, living, ended)] == [5, 5, 5]


async def test_a_record_the_projection_has_not_seen_protects_its_blobs(start, make):
    clock = make.HandClock()
    async with start(**AT_ONCE, clock=clock) as api:
        record = await api.put(make.a_record(job_id=an_id_made(clock, ago=timedelta(hours=25))))
        await api.store.put(input_blob(record.job_id), b"media")
        api.state.projection.forget(record.job_id)

        removed = await orphans_of(api).sweep()

        assert removed == []


async def test_one_bad_job_does_not_hold_up_the_others(start, make, monkeypatch):
    async with start(**AT_ONCE) as api:
        bad = await api.put(make.a_record())
        good = await api.put(make.a_record())
        has = api.bus.work.has

        async def broken(job_id, *rest):
            if job_id == bad.job_id:
                raise RuntimeError("anything")
            return await has(job_id, *rest)

        monkeypatch.setattr(api.bus.work, "has", broken)

        await api.state.reconciler().round()

        assert await has(good.job_id, good.plugin_id, good.device)


@pytest.mark.slow
async def test_nothing_is_judged_while_the_bus_is_unavailable_and_everything_resumes_afterwards(start, make):
    async with start(resend_after_s=0, judge_after_s=0, reconcile_every_s=0.05) as api:
        record = await api.put(make.a_record())
        await eventually(lambda: sent_to(api, record))

        await api.server.restart()
        await eventually(lambda: api.bus.is_connected)
        await api.bus.work.purge(record.job_id, record.plugin_id, record.device)

        await eventually(lambda: sent_to(api, record))
        assert (await api.bus.jobs.get(record.job_id)).record.status == "pending"
