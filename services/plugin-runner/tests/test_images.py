"""Images in a real runner: a job of one frame, whose record, row and result document say so."""

import av
import numpy as np
import orjson
import pytest

from forgesyte_contracts import subjects
from forgesyte_contracts.jobs import DecodeFacts, JobStatus, JobType
from tests.support import meeting_point

BLUE_GREEN_RED = [10, 20, 200]
SEEN = {"width": 64, "height": 48, "blue_green_red": BLUE_GREEN_RED}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def box(shared_box):
    """One box for all tests of this file."""
    return shared_box


@pytest.fixture(scope="session")
def png(tmp_path_factory) -> bytes:
    """A reddish PNG of 64 x 48 pixels."""
    path = tmp_path_factory.mktemp("image") / "image.png"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), BLUE_GREEN_RED, np.uint8), format="bgr24")
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    return path.read_bytes()


async def test_an_image_is_one_row_and_one_frame(box, png):
    box.start_runner(plugins="picture")

    job_id = await box.submit_record(png, plugin_id="picture", tools=("measure",), job_type=JobType.IMAGE)
    record = await box.ended(job_id)

    assert record.status is JobStatus.COMPLETED, record.error_message
    assert (record.total_frames, record.current_frame, record.progress) == (1, 1, 100)
    assert record.warnings == ()
    assert record.decode is not None
    assert (record.decode.frames_decoded, record.decode.codec) == (1, "png")
    assert (record.decode.width, record.decode.height, record.decode.fps) == (64, 48, None)
    row = {"frame_index": 0, "timestamp_ms": 0.0, "detections": SEEN}
    assert await box.rows(job_id) == [row]
    assert orjson.loads(await box.store.get(subjects.result_blob(job_id, record.attempt))) == {
        "job_id": job_id,
        "status": "completed",
        "plugin_id": "picture",
        "tools": ["measure"],
        "total_frames": 1,
        "fps": None,
        "width": 64,
        "height": 48,
        "summary": {"frame_count": 1, "detection_count": 0, "classes": {}},
        "frames": [row],
        "truncated": False,
    }


async def test_several_tools_share_the_one_row(box, png, tmp_path):
    box.start_runner(plugins="picture")
    gate = meeting_point("gate")
    gate.touch()

    job_id = await box.submit_record(
        png,
        plugin_id="picture",
        tools=("measure", "wait"),
        options={"wait": {"gate": str(gate)}},
        job_type=JobType.IMAGE_MULTI,
    )
    record = await box.ended(job_id)

    assert (record.status, record.tools_completed) == (JobStatus.COMPLETED, 2), record.error_message
    assert await box.rows(job_id) == [{"frame_index": 0, "timestamp_ms": 0.0, "measure": SEEN, "wait": SEEN}]


async def test_a_tool_for_both_runs_over_a_video_as_well(box, clip):
    box.start_runner(plugins="picture")

    job_id = await box.submit_record(clip, plugin_id="picture", tools=("measure",), job_type=JobType.VIDEO)
    record = await box.ended(job_id)

    assert (record.status, record.total_frames) == (JobStatus.COMPLETED, 60), record.error_message
    assert {row["detections"]["width"] for row in await box.rows(job_id)} == {160}


async def test_a_video_in_an_image_job_and_the_reverse_fail_as_bad_media(box, clip, png):
    box.start_runner(plugins="picture")

    as_image = await box.submit_record(clip, plugin_id="picture", tools=("measure",), job_type=JobType.IMAGE)
    as_video = await box.submit_record(png, plugin_id="picture", tools=("measure",), job_type=JobType.VIDEO)

    for job_id in (as_image, as_video):
        record = await box.ended(job_id)
        assert (record.status, record.error_code) == (JobStatus.FAILED, "MEDIA_INVALID")
        assert await box.rows(job_id) == []


async def test_the_settings_limit_what_an_image_may_be(box, png):
    box.start_runner(plugins="picture", max_image_pixels=3000)

    record = await box.ended(
        await box.submit_record(png, plugin_id="picture", tools=("measure",), job_type=JobType.IMAGE)
    )

    assert (record.status, record.error_code) == (JobStatus.FAILED, "MEDIA_TOO_LARGE")
    assert record.error_message is not None
    assert "3072" in record.error_message
    assert "3000" in record.error_message


async def test_what_the_probe_saw_stays_in_the_record_until_the_decoder_says_more(box, clip, gate):
    box.start_runner()
    seen = DecodeFacts(codec="h264", fps=25.0, rotation=90, width=120, height=160)
    options = {"gate": {**gate.options, "at": 0}}

    job_id = await box.submit_record(clip, plugin_id="probe", tools=("gate",), options=options, decode=seen)
    await gate.reached()
    gate.open()
    record = await box.ended(job_id)

    assert record.decode is not None
    assert (record.decode.rotation, record.decode.width, record.decode.frames_decoded) == (0, 160, 60)
