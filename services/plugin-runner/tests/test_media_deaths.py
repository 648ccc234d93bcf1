"""Media on which decoders die fails its own job and leaves the plugin alone; a plugin that dies is to blame itself."""

from datetime import UTC, datetime

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from forgesyte_contracts.plugins import PluginState
from tests.support import eventually, make_clip

from .test_jobs import outcomes

pytestmark = pytest.mark.asyncio(loop_scope="module")

TIGHT_BYTES = 80 << 20
"""Too little for the decoder of a large picture; thrice what a small one takes, which differs between machines."""


@pytest.fixture
def box(shared_box):
    """One box for all tests of this file."""
    return shared_box


async def state_of(box, runner):
    """What a runner says of the plugin when no job is in its hands."""

    async def look():
        async with box.bus.runners.watch() as view:
            beat = next((beat for beat in view.living().values() if beat.pid == runner.pid), None)
        if beat is None or beat.slots_busy:
            return None
        return next(each.state for each in beat.plugins if each.name == "probe")

    return await eventually(look, 60, "the runner is idle")


async def test_three_videos_on_which_decoding_dies_fail_and_the_plugin_goes_on(box, clip, tmp_path):
    runner = box.start_runner(memory_bytes=TIGHT_BYTES)
    large = [make_clip(tmp_path / f"{n}.mp4", frames=n, size_wh=(7680, 4320)).read_bytes() for n in (2, 3, 4)]

    records = [await box.ended(await box.submit(media, "gate")) for media in large]

    for record in records:
        assert (record.status, record.error_code, record.error_type) == (JobStatus.FAILED, "MEDIA_INVALID", "oom")
        assert record.error_message.startswith("At frame 0, decoding the media failed twice, the second time without ")
        assert outcomes(record) == [AttemptOutcome.FAILED]
    assert await state_of(box, runner) is PluginState.INITIALIZED
    assert (await box.ended(await box.submit(clip, "gate"))).status is JobStatus.COMPLETED


async def test_frames_that_may_be_skipped_do_not_keep_such_a_video_running(box, tmp_path):
    box.start_runner(memory_bytes=TIGHT_BYTES)
    large = make_clip(tmp_path / "large.mp4", frames=2, size_wh=(7680, 4320)).read_bytes()

    job_id = await box.submit_record(large, plugin_id="probe", tools=("gate",), skip_bad_frames=True)
    record = await box.ended(job_id)

    assert (record.error_code, outcomes(record)) == ("MEDIA_INVALID", [AttemptOutcome.FAILED])


async def test_a_plugin_that_has_a_segmentation_fault_on_three_good_files_is_failed(box, tmp_path):
    runner = box.start_runner(frame_timeout_s=59)
    first, second, third = [make_clip(tmp_path / f"{n}.mp4", frames=n).read_bytes() for n in (30, 31, 32)]

    records = [await box.ended(await box.submit(media, "die", at=5, how="crash")) for media in (first, second)]
    job_id = await box.submit(third, "die", at=5, how="crash")

    async def is_failed():
        return await state_of(box, runner) is PluginState.FAILED

    await eventually(is_failed, 60, "the plugin is FAILED")
    for record in records:
        assert (record.status, record.error_code, record.error_frame) == (JobStatus.FAILED, "PLUGIN_CRASH", 5)
        assert outcomes(record) == [AttemptOutcome.CRASHED] * 2
    last = await box.record(job_id)
    assert (last.owner, outcomes(last)) == (None, [AttemptOutcome.CRASHED])  # left to a runner whose plugin is well
    await box.bus.jobs.change(job_id, lambda record: moves.cancelled(record, datetime.now(UTC)))
    await box.bus.work.purge(job_id, "probe", "cpu")


async def test_a_job_that_dies_is_tried_again_by_the_runner_that_holds_its_message(box, clip):
    runner = box.start_runner(frame_timeout_s=58)

    record = await box.ended(await box.submit(clip, "die", at=5, how="crash"))

    assert outcomes(record) == [AttemptOutcome.CRASHED] * 2
    assert all("in process_frame" in attempt.log_tail for attempt in record.attempts)
    refused = [line for line in runner.log.read_text().splitlines() if "claim refused" in line]
    assert not [line for line in refused if record.job_id in line]
    first, second = record.attempts
    assert (second.started_at - first.ended_at).total_seconds() >= 0.2
