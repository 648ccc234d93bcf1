"""Damage, rotation, other streams and lying containers: clips made for the purpose."""

import av
import cv2
import numpy as np
import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared import messages


def write_clip(
    path, *, frames=60, size_wh=(160, 120), codec="libx264", rotation=0, audio=False, options=None, pictures=True
):
    """A clip with noise below and a red upper left corner, so that damage and rotation show."""
    width, height = size_wh
    random = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=options or {}) if pictures else None
        sound = container.add_stream("aac", rate=44100) if audio else None
        if video is not None:
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            if rotation:
                video.set_display_rotation(rotation)
            for index in range(frames):
                image = np.full((height, width, 3), 40 + index, np.uint8)
                image[height // 2 :] += random.integers(0, 60, (height - height // 2, width, 3), np.uint8)
                image[: height // 4, : width // 4] = (0, 0, 255)
                container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(video.encode())
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.rate = 44100
            for _ in range(100):
                container.mux(sound.encode(silence))
            container.mux(sound.encode())
    return path


async def test_noise_in_the_middle_is_counted_and_skipped(bench, tmp_path):
    path = write_clip(tmp_path / "noise.mp4", frames=120, options={"g": "12", "bf": "0"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = np.random.default_rng(1).integers(0, 256, 6000, np.uint8).tobytes()
    path.write_bytes(content)

    told = await bench.job(input=str(path))

    result = told.outcome.result
    assert told.outcome.ok, told.outcome
    assert result["frames_corrupt"] > 0
    assert result["as_stated"] is False
    assert 60 < result["frames_decoded"] <= 120
    assert [row["frame_index"] for row in told.rows] == list(range(result["frames_decoded"]))


@pytest.mark.parametrize(
    ("size_wh", "options"),
    [((1920, 1080), ()), ((96, 64), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)), ((96, 64), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2))],
    ids=["larger than what FFmpeg looks at", "progressive", "with restarts"],
)
async def test_jpegs_end_to_end_are_a_video_however_they_are_made(bench, tmp_path, size_wh, options):
    width, height = size_wh
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    pictures = [cv2.imencode(".jpg", noise // (index + 1), options)[1].tobytes() for index in range(6)]
    path = tmp_path / "a.jpg"
    path.write_bytes(b"".join(pictures))

    told = await bench.job(input=str(path))

    assert told.outcome.ok, told.outcome
    assert told.outcome.result["frames_decoded"] == 6


@pytest.mark.slow
async def test_fewer_frames_than_announced_is_a_warning_with_both_numbers(bench, tmp_path):
    path = write_clip(tmp_path / "cut.mp4", frames=100, options={"g": "10"})
    with av.open(str(path)) as container:
        sizes = [packet.pos for packet in container.demux(video=0) if packet.pos]
    moved = write_clip_with_index_first(path, tmp_path / "first.mp4")
    moved.write_bytes(moved.read_bytes()[: int(max(sizes) * 0.6)])

    told = await bench.job(input=str(moved))

    decoded = told.outcome.result["frames_decoded"]
    warning = told.of(messages.Warning)[-1]
    assert told.outcome.ok
    assert 0 < decoded < 100
    assert "announced 100 frames" in warning.text
    assert f"{decoded} were decoded" in warning.text
    assert warning.severity == "high"


def write_clip_with_index_first(source, target):
    with av.open(str(source)) as read, av.open(str(target), "w", options={"movflags": "faststart"}) as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                write.mux(packet)
    return target


@pytest.mark.parametrize(
    ("counter_clockwise", "clockwise", "size_wh", "red_corner"),
    [
        (0, 0, [160, 120], True),
        (-90, 90, [120, 160], False),
        (180, 180, [160, 120], False),
        (90, 270, [120, 160], False),
    ],
)
async def test_pictures_are_turned_upright(bench, tmp_path, counter_clockwise, clockwise, size_wh, red_corner):
    path = write_clip(tmp_path / "turned.mp4", frames=3, rotation=counter_clockwise)

    told = await bench.job(input=str(path))

    first = told.rows[0]["detections"]
    red_in_corner = first["corner"][2] > 150 and first["corner"][0] < 100
    assert told.outcome.result["rotation"] == clockwise
    assert first["size_wh"] == size_wh
    assert red_in_corner is red_corner
    assert [told.of(messages.Started)[0].width, told.of(messages.Started)[0].height] == size_wh


async def test_sound_is_ignored(bench, tmp_path):
    path = write_clip(tmp_path / "sound.mp4", frames=10, audio=True)

    told = await bench.job(input=str(path))

    assert told.outcome.result["frames_decoded"] == 10


async def test_sound_alone_is_refused_with_what_was_found(bench, tmp_path):
    path = write_clip(tmp_path / "sound.mp4", audio=True, pictures=False)

    told = await bench.job(input=str(path))

    assert (told.outcome.kind, told.outcome.code) == ("failed", Code.MEDIA_INVALID)
    assert "holds audio and no video stream" in told.outcome.error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec"), [("mkv", "libx264"), ("avi", "mpeg4"), ("ts", "mpeg2video"), ("webm", "libvpx-vp9")]
)
async def test_the_usual_containers_are_decoded_to_the_last_frame(bench, tmp_path, suffix, codec):
    path = write_clip(tmp_path / f"clip.{suffix}", frames=20, codec=codec)

    told = await bench.job(input=str(path))

    assert told.outcome.ok, told.outcome
    assert told.outcome.result["frames_decoded"] == 20
    assert told.rows[-1]["timestamp_ms"] == pytest.approx(760, abs=1)


@pytest.mark.slow
async def test_decode_ahead_stays_within_its_bytes(bench, tmp_path):
    from forgesyte_sandbox.shared.limits import MIB, Limits

    path = write_clip(tmp_path / "large.mp4", frames=20, size_wh=(1920, 1080), options={"preset": "ultrafast"})

    # Pictures of 6 MB: twenty of them at once, or the frames behind them, would not fit.
    told = await bench.job(input=str(path), limits=Limits(memory_bytes=96 * MIB, decode_ahead_bytes=16 * MIB))

    assert told.outcome.ok, told.outcome
    assert len(told.rows) == 20


@pytest.mark.slow
@pytest.mark.parametrize("allowed_mib", [8, 16, 24, 40])
async def test_lack_of_memory_in_the_decoder_is_oom_and_neither_damage_nor_the_end(bench, tmp_path, allowed_mib):
    from forgesyte_sandbox.shared.limits import MIB, Limits

    path = write_clip(tmp_path / "large.mp4", frames=5, size_wh=(3840, 2160), options={"preset": "ultrafast"})

    told = await bench.job(input=str(path), limits=Limits(memory_bytes=allowed_mib * MIB))

    assert told.outcome.kind == "oom", told.outcome
