"""The program annotate: made clips with rows of known boxes, looked at again after drawing."""

from fractions import Fraction

import av
import numpy as np
import orjson
import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.specs import AnnotateSpec

GREY = 90


def write_clip(path, *, frames=12, size_wh=(160, 120), codec="libx264", times=None, rotation=0, pix_fmt="yuv420p"):
    """A grey clip; `times` are the frames' times in ms where the rate varies."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = *size_wh, pix_fmt
        if times is not None:
            video.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            video.set_display_rotation(rotation)
        for index in range(frames):
            image = np.full((size_wh[1], size_wh[0], 3), GREY, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def regions(*boxes):
    return {"regions": [{"xyxy": box, "area": 100.0, "share": 0.1} for box in boxes]}


def tracked(*objects):
    return {"tracked_objects": [{"xyxy": box, "track_id": number, "confidence": 0.5} for number, box in objects]}


def row(index, output=None, **outputs):
    return {"frame_index": index, "timestamp_ms": 40.0 * index, **({"detections": output} if output else outputs)}


async def annotated(bench, clip, rows, **order):
    """Run the program to its good end; return its result and the path of the video."""
    outcome, video = await run(bench, clip, rows, **order)
    assert outcome.ok, outcome
    return outcome.result, video


async def run(bench, clip, rows, *, tools=("measure",), kind="video", limits=None):
    folder = bench.left()
    beside = folder / "rows.jsonl"
    beside.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in rows))
    spec = AnnotateSpec(str(clip), rows=str(beside), tools=tools, output="out.mp4", kind=kind)
    outcome = await bench.zygote.run(Order(spec, limits=limits or Limits(), folder=folder))
    return outcome, folder / "out.mp4"


def pictures(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode(video=0)]


def is_drawn(image):
    """Whether anything but the clip's grey is there; coding alone changes a pixel by a few steps."""
    return bool((abs(image - GREY) > 40).any())


async def test_boxes_are_drawn_where_the_row_says_and_frames_without_a_row_stay_plain(bench, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4")
    rows = [row(0, regions()), row(3, regions([40, 50, 101, 91])), row(7, regions([0, 0, 160, 120]))]

    result, path = await annotated(bench, clip, rows)

    images = pictures(path)
    assert result == {"frames": 12, "width": 160, "height": 120, "bytes": path.stat().st_size}
    assert [index for index, image in enumerate(images) if is_drawn(image)] == [3, 7]
    marked = abs(images[3] - GREY).max(axis=2) > 40
    assert marked[60:85, 40].all(), "the left line"
    assert marked[60:85, 100].all(), "the right line: the last pixel inside the box"
    assert marked[90, 45:95].all(), "the bottom line"
    assert not marked[55:85, 45:95].any(), "inside the box"
    assert not marked[:, :38].any(), "left of the box"


async def test_the_video_is_what_browsers_play(bench, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4")

    _, path = await annotated(bench, clip, [])

    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat"), "the index is at the front"
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)


@pytest.mark.parametrize(
    ("size_wh", "expected"), [((161, 121), (162, 122)), ((1, 1), (2, 2)), ((3, 64), (4, 64))], ids=str
)
async def test_odd_sizes_get_one_more_pixel(bench, tmp_path, size_wh, expected):
    clip = write_clip(tmp_path / "clip.mkv", frames=3, size_wh=size_wh, codec="ffv1", pix_fmt="bgr0")

    result, path = await annotated(bench, clip, [row(1, regions([0, 0, *size_wh]))])

    assert (result["width"], result["height"]) == expected
    assert [image.shape[1::-1] for image in pictures(path)] == [expected] * 3


async def test_times_of_a_variable_rate_are_kept(bench, tmp_path):
    times = [0, 40, 45, 200, 1200, 1210, 5000]
    clip = write_clip(tmp_path / "clip.mkv", frames=len(times), times=times)

    _, path = await annotated(bench, clip, [])

    with av.open(str(path)) as container:
        found = [float(frame.pts * frame.time_base * 1000) for frame in container.decode(video=0)]
    assert found == pytest.approx(times, abs=1)


async def test_boxes_of_a_turned_video_are_in_upright_pixels(bench, tmp_path):
    clip = write_clip(tmp_path / "turned.mp4", rotation=-90, frames=2)

    result, path = await annotated(bench, clip, [row(0, regions([10, 100, 60, 150]))])

    marked = abs(pictures(path)[0] - GREY).max(axis=2) > 40
    assert (result["width"], result["height"]) == (120, 160)
    assert marked[105:145, 10].all()
    assert not marked[:80].any()


async def test_several_tools_of_a_row_are_drawn_in_colours_of_their_own(bench, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", size_wh=(640, 480), frames=2)
    outputs = {
        "measure": regions([100, 200, 200, 300]),
        "follow": tracked((1, [300, 200, 400, 300]), (2, [450, 200, 550, 300])),
    }

    _, path = await annotated(bench, clip, [row(0, **outputs)], tools=("measure", "follow"))

    image = pictures(path)[0]
    colours = [image[220:280, x : x + 2].mean(axis=(0, 1)) for x in (100, 300, 450)]
    assert all(abs(one - GREY).max() > 60 for one in colours)
    assert all(abs(one - other).max() > 60 for one, other in zip(colours, colours[1:] + colours[:1], strict=True))


async def test_what_is_no_box_or_lies_outside_is_left_out(bench, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=2)
    wild = regions([1e300, 0, 1e301, 5], [-90, -90, -50, -50], [None, 1, 2, 3], [500, 500, 900, 900])

    _, path = await annotated(bench, clip, [row(0, wild), row(1, {"angle": 3})])

    assert not any(map(is_drawn, pictures(path)))


async def test_frames_are_numbered_as_the_job_numbers_them_when_some_are_broken(bench, tmp_path):
    clip = write_clip(tmp_path / "noise.mp4", frames=100)
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = np.random.default_rng(1).integers(0, 256, 40, np.uint8).tobytes()
    clip.write_bytes(content)
    told = await bench.job(input=str(clip))

    result, _ = await annotated(bench, clip, [])

    assert result["frames"] == told.outcome.result["frames_decoded"]


async def test_an_image_becomes_a_video_of_one_second(bench, tmp_path):
    path = tmp_path / "image.png"
    still = av.VideoFrame.from_ndarray(np.full((120, 161, 3), GREY, np.uint8), format="bgr24")
    still.save(str(path))

    result, video = await annotated(bench, path, [row(0, regions([10, 50, 60, 100]))], kind="image")

    assert (result["frames"], result["width"], result["height"]) == (1, 162, 120)
    assert is_drawn(pictures(video)[0])
    with av.open(str(video)) as container:
        assert container.duration == pytest.approx(1_000_000, rel=0.05)


@pytest.mark.slow
async def test_a_picture_larger_than_4k_is_drawn_smaller_within_the_memory_limit(bench, tmp_path):
    clip = write_clip(tmp_path / "large.mp4", frames=4, size_wh=(7680, 4320))

    result, path = await annotated(
        bench, clip, [row(2, regions([960, 960, 2880, 2880]))], limits=Limits(memory_bytes=1536 * MIB)
    )

    marked = abs(pictures(path)[2] - GREY).max(axis=2) > 40
    assert (result["width"], result["height"]) == (3840, 2160)
    assert marked[600:1300, 480:484].all()


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_video(bench, tmp_path):
    clip = write_clip(tmp_path / "long.mp4", frames=1500)
    found = regions([40, 50, 100, 90]) | {"note": "x" * 50_000}

    result, _ = await annotated(
        bench, clip, (row(index, found) for index in range(1500)), limits=Limits(memory_bytes=48 * MIB)
    )

    assert result["frames"] == 1500


async def test_what_is_not_a_video_is_refused(bench, tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all")

    outcome, _ = await run(bench, tmp_path / "text.mp4", [])

    assert (outcome.ok, outcome.code) == (False, Code.MEDIA_INVALID)
