"""Metrics: what is counted is what happened, on a real runner, also while it is scraped fifty times per second."""

import asyncio

import pytest

from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.plugins import PluginState
from tests.stability.jobs import job_runner
from tests.support import eventually, meeting_point

LOOKS = 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def media(clip) -> bytes:
    return clip.read_bytes()


async def test_two_successes_count_two_and_one_error_counts_one(tmp_path, media):
    async with job_runner(tmp_path / "box", "raises") as runner:
        for _ in range(2):
            assert (await runner.done(media, "raises", at=999)).status is JobStatus.COMPLETED
        assert (await runner.done(media, "raises")).status is JobStatus.FAILED

        shown = await runner.status("raises")

        assert (shown.success_count, shown.error_count) == (2, 1)
        jobs = 'forgesyte_runner_jobs_total{kind="video",outcome="%s",plugin="raises"}'
        assert await runner.value(jobs % "completed") == 2
        assert await runner.value(jobs % "failed") == 1
        assert await runner.value('forgesyte_runner_attempts_total{outcome="succeeded",plugin="raises"}') == 2
        assert await runner.value('forgesyte_runner_frames_total{plugin="raises",status="processed"}') == 122
        assert await runner.value("forgesyte_runner_slots") == 1


async def test_the_uptime_grows_and_the_last_use_moves_with_each_job(tmp_path, media):
    async with job_runner(tmp_path / "box", "healthy") as runner:
        fresh = await runner.status("healthy")
        assert fresh.uptime_seconds >= 0
        assert (fresh.last_used, fresh.last_execution_time_ms) == (None, None)

        await runner.done(media, "healthy", "measure")
        once = await runner.status("healthy")
        await runner.done(media, "healthy", "measure")
        twice = await runner.status("healthy")

        assert fresh.uptime_seconds < once.uptime_seconds < twice.uptime_seconds
        assert once.last_used < twice.last_used
        assert once.last_execution_time_ms >= 0
        assert once.avg_execution_time_ms >= 0


async def test_fifty_looks_a_second_beside_a_job_are_all_answered_and_the_job_is_right(tmp_path, media):
    async with job_runner(tmp_path / "box", "healthy") as runner:
        gate, reached = meeting_point("gate"), meeting_point("reached")
        job_id = await runner.submit(media, "healthy", "measure", gate=str(gate), reached=str(reached))
        await eventually(reached.exists, 60, "the job stands in the middle")
        await runner.until("healthy", PluginState.RUNNING)

        async def look(number: int) -> str:
            await asyncio.sleep(number / 50)
            return await runner.metrics()

        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(look(number)) for number in range(LOOKS)]

        texts = [each.result() for each in looks]
        assert all("forgesyte_runner_slots_busy 1.0" in text for text in texts)
        assert all('plugin_state{plugin="healthy",state="RUNNING"} 1.0' in text for text in texts)
        assert all('sandbox_processes{plugin="healthy",state="busy"} 1.0' in text for text in texts)
        assert job_id not in texts[-1]
        gate.touch()
        assert (await runner.ended(job_id)).status is JobStatus.COMPLETED

        async def is_idle() -> bool:
            return await runner.value("forgesyte_runner_slots_busy") == 0

        await eventually(is_idle, what="the slot is free")
