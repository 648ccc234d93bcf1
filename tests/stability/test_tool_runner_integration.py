"""Tool runner integration: what a tool does wrong is a result, a count, and in the end a state; never a crash."""

import pytest

from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.plugins import PluginState
from tests.stability.jobs import job_runner
from tests.support import eventually, make_clip

SETTINGS = {"memory_bytes": 256 << 20, "load_memory_bytes": 512 << 20, "frame_timeout_s": 5}
FRIENDS = {
    "raises-system-exit": "SystemExit",
    "raises-recursion": "RecursionError",
    "takes-8-gib-of-zeros": "oom",
    "exits-3": "crashed",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[bytes]:
    """Four inputs that differ."""
    folder = tmp_path_factory.mktemp("inputs")
    return [make_clip(folder / f"{frames}.mp4", frames=frames).read_bytes() for frames in (10, 11, 12, 13)]


async def test_an_exception_on_one_input_is_an_error_result_and_a_count_and_disables_nothing(tmp_path, clips):
    async with job_runner(tmp_path / "box", "raises", **SETTINGS) as runner:
        for number, clip in enumerate(clips, start=1):
            record = await runner.done(clip, "raises")
            assert (record.status, record.error_type) == (JobStatus.FAILED, "ValueError")
            assert "bad frame: naïve text, 50 % of it" in record.error_message
            shown = await runner.status("raises")
            assert (shown.state, shown.error_count) == (PluginState.INITIALIZED, number)

        fine = await runner.done(clips[0], "raises", at=999)

        assert fine.status is JobStatus.COMPLETED
        assert runner.is_alive()


async def test_the_third_death_in_a_row_disables_the_plugin_until_it_is_reloaded(tmp_path, clips):
    async with job_runner(tmp_path / "box", "segfaults", "healthy", **SETTINGS) as runner:
        first, second = [await runner.done(clip, "segfaults") for clip in clips[:2]]
        assert (await runner.status("segfaults")).state is PluginState.INITIALIZED
        third = await runner.submit(clips[2], "segfaults")

        failed = await runner.until("segfaults", PluginState.FAILED)

        assert all(job_id in failed.reason for job_id in (first.job_id, second.job_id, third))
        for words in ("3 jobs with different inputs", "SIGSEGV", "reload the plugin"):
            assert words in failed.reason
        assert (await runner.done(clips[0], "healthy", "measure")).status is JobStatus.COMPLETED
        waiting = await runner.submit(clips[3], "segfaults", at=999)
        assert (await runner.done(clips[1], "healthy", "measure")).status is JobStatus.COMPLETED
        assert (await runner.record(waiting)).status is JobStatus.PENDING

        await runner.reload("segfaults")

        assert (await runner.until("segfaults", PluginState.INITIALIZED)).reason is None
        assert (await runner.ended(waiting)).status is JobStatus.COMPLETED


async def test_deaths_of_one_input_and_deaths_with_a_success_between_disable_nothing(tmp_path, clips):
    async with job_runner(tmp_path / "box", "segfaults", **SETTINGS) as runner:
        for clip in (clips[0], clips[0], clips[0], clips[1]):
            assert (await runner.done(clip, "segfaults")).error_type == "crashed"
        assert (await runner.done(clips[2], "segfaults", at=999)).status is JobStatus.COMPLETED
        for clip in clips[:2]:
            assert (await runner.done(clip, "segfaults")).error_type == "crashed"

        shown = await runner.status("segfaults")

        assert (shown.state, shown.error_count, shown.success_count) == (PluginState.INITIALIZED, 6, 1)


async def test_a_load_that_raises_disables_the_plugin_and_a_prepare_that_raises_does_not(tmp_path, clips):
    async with job_runner(tmp_path / "box", "load-fails", "prepare-fails", **SETTINGS) as runner:
        assert (await runner.done(clips[0], "prepare-fails")).status is JobStatus.FAILED
        assert (await runner.status("prepare-fails")).state is PluginState.INITIALIZED, "it was loaded"

        record = await runner.done(clips[0], "load-fails")

        assert (record.status, record.error_type) == (JobStatus.FAILED, "RuntimeError")
        shown = await runner.until("load-fails", PluginState.FAILED)
        assert "RuntimeError: load went wrong; look at its log" in shown.reason


async def test_a_success_counts_once(tmp_path, clips):
    async with job_runner(tmp_path / "box", "healthy", **SETTINGS) as runner:
        assert (await runner.done(clips[0], "healthy", "measure")).status is JobStatus.COMPLETED

        shown = await runner.status("healthy")

        assert (shown.success_count, shown.error_count) == (1, 0)


async def test_memory_errors_and_their_friends_leave_the_runner_alive(tmp_path, clips):
    async with job_runner(tmp_path / "box", "healthy", *FRIENDS, **SETTINGS) as runner:
        found = {plugin: (await runner.done(clips[0], plugin)).error_type for plugin in FRIENDS}

        assert found == FRIENDS
        assert runner.is_alive()
        assert (await runner.done(clips[0], "healthy", "measure")).status is JobStatus.COMPLETED


async def test_running_is_shown_while_a_sandbox_lives_and_ends_with_a_hang_at_its_limit(tmp_path, clips):
    async with job_runner(tmp_path / "box", "loops", **{**SETTINGS, "frame_timeout_s": 4}) as runner:
        job_id = await runner.submit(clips[0], "loops")
        assert (await runner.until("loops", PluginState.RUNNING)).last_used is not None

        await runner.ended(job_id)

        await eventually(lambda: runner.until("loops", PluginState.INITIALIZED), 60)
