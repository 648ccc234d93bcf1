"""The programs playable and playable_copy: made files of many kinds, judged, copied, and the copies looked at."""

import struct
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.media.browser_rules import against_image
from forgesyte_sandbox.child.media.headers.image_header import ImageHeader
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import PlayableCopySpec, PlayableSpec
from tests.support import brightness_of
from tests.support.clips import dark_above, rewrap, with_edits, write_clip

FRAMES = 12
UNEVEN = [0, 40, 45, 200, 210, 300, 301, 420, 500, 777, 800, 1000]


async def verdict(bench, path, *, kind="video", is_known_whole=False, video_stream=None):
    said = []
    spec = PlayableSpec(str(path), is_known_whole=is_known_whole, kind=kind, video_stream=video_stream)
    outcome = await bench.zygote.run(Order(spec, limits=Limits(), on_message=said.append))
    assert outcome.ok, outcome
    return outcome.result, said


async def copied(bench, path, *, kind="video"):
    """Return the result, the path of the copy, its table in microseconds and what was said."""
    folder, said = bench.left(), []
    spec = PlayableCopySpec(str(path), output="out", times="times", kind=kind)
    outcome = await bench.zygote.run(Order(spec, limits=Limits(), folder=folder, on_message=said.append))
    assert outcome.ok, outcome
    table = [time_us for (time_us,) in struct.iter_unpack("<q", (folder / "times").read_bytes())]
    return outcome.result, folder / "out", table, said


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


AV1 = {"preset": "12"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
PLAYED = {
    "h264 in mp4": (("a.mp4",), {}, "video/mp4"),
    "h264 of profile baseline": (("a.mp4",), {"options": {"profile": "baseline"}}, "video/mp4"),
    "h264 in mov": (("a.mov",), {}, "video/mp4"),
    "h264 turned by 90 degrees": (("a.mp4",), {"turn": 90}, "video/mp4"),
    "h264 with a variable rate": (("a.mp4",), {"times": UNEVEN}, "video/mp4"),
    "h264 in pieces": (("a.mp4",), {"layout": "frag_keyframe+empty_moov"}, "video/mp4"),
    "h264 in pieces with an edit list": (("a.mp4",), {"layout": "frag_keyframe+delay_moov"}, "video/mp4"),
    "h264 that begins late": (("a.mp4",), {"times": [500 + time_ms for time_ms in UNEVEN]}, "video/mp4"),
    "h264 that begins slowly": (("a.mp4",), {"times": [0, 500, *range(1000, 1400, 40)]}, "video/mp4"),
    "vp9 in webm with a variable rate": (("a.webm", "libvpx-vp9"), {"options": VP9, "times": UNEVEN}, "video/webm"),
    "vp8 in webm": (("a.webm", "libvpx"), {}, "video/webm"),
    "vp9 in mp4": (("a.mp4", "libvpx-vp9"), {"options": VP9}, "video/mp4"),
    "odd sizes": (("a.webm", "libvpx-vp9"), {"options": VP9, "size_wh": (161, 121)}, "video/webm"),
}
NOT_PLAYED = {
    "motion jpeg in avi": (("a.avi", "mjpeg"), {"pix_fmt": "yuvj420p"}, "avi"),
    "an mpeg transport stream": (("a.ts",), {}, "mpegts"),
    "matroska": (("a.mkv",), {}, "mkv"),
    "hevc": (("a.mp4", "libx265"), {}, "hevc"),
    "av1 in mp4": (("a.mp4", "libsvtav1"), {"options": AV1}, "not every browser plays av1"),
    "av1 in webm": (("a.webm", "libsvtav1"), {"options": AV1}, "not every browser plays av1"),
    "mpeg-4 part 2": (("a.mp4", "mpeg4"), {}, "mpeg4"),
    "h264 of 10 bits": (("a.mp4",), {"pix_fmt": "yuv420p10le"}, "High 10"),
    "h264 with 4:2:2": (("a.mp4",), {"pix_fmt": "yuv422p"}, "High 4:2:2"),
    "vp9 of profile 1": (("a.webm", "libvpx-vp9"), {"options": VP9, "pix_fmt": "yuv444p"}, "Profile 1"),
}


@pytest.mark.parametrize(("where", "how", "media_type"), PLAYED.values(), ids=PLAYED)
async def test_what_browsers_play_is_left_as_it_is(bench, tmp_path, where, how, media_type):
    name, *codec = where

    result, _ = await verdict(bench, write_clip(tmp_path / name, *codec, **how))

    assert result == {"media_type": media_type, "because": None}


@pytest.mark.parametrize(("where", "how", "because"), NOT_PLAYED.values(), ids=NOT_PLAYED)
async def test_what_no_or_not_every_browser_plays_is_not(bench, tmp_path, where, how, because):
    name, *codec = where

    result, _ = await verdict(bench, write_clip(tmp_path / name, *codec, **how))

    assert result["media_type"] is None
    assert because in result["because"]


async def test_an_edit_list_may_hide_the_first_pictures_and_no_later_ones(bench, tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", options={"bf": "0"})
    begin = rewrap(whole, tmp_path / "begin.mp4", skip=3)
    end = tmp_path / "end.mp4"
    content = begin.read_bytes()
    at = content.index(b"elst") + 12  # its one entry: the duration, in ticks of the movie
    end.write_bytes(content[:at] + (int.from_bytes(content[at : at + 4]) // 2).to_bytes(4) + content[at + 4 :])

    at_begin, _ = await verdict(bench, begin, is_known_whole=True)
    at_end, _ = await verdict(bench, end, is_known_whole=True)

    assert at_begin["media_type"] == "video/mp4"
    assert at_end["media_type"] is None
    assert "edit list" in at_end["because"]


TICK = 512  # of a picture in the clips that follow; it lasts 40 ms
EDITS = {
    "all of it": ([(480, 0, 1)], None),
    "from a later picture on": ([(240, 6 * TICK, 1)], None),
    "late": ([(500, -1, 1), (480, 0, 1)], None),
    "longer than it is": ([(9000, 0, 1)], None),
    "without its last picture": ([(440, 0, 1)], "cuts pictures out"),
    "without its second half": ([(240, 0, 1)], "cuts pictures out"),
    "two parts": ([(120, 0, 1), (160, 8 * TICK, 1)], "cuts pictures out"),
    "two parts that meet": ([(240, 0, 1), (240, 6 * TICK, 1)], "cuts pictures out"),
    "nothing, then all of it after a part too short for a picture": ([(1, 0, 1), (240, 6 * TICK, 1)], "cuts"),
    "a pause at the end": ([(480, 0, 1), (500, -1, 1)], "pauses"),
    "two pauses at the beginning": ([(100, -1, 1), (100, -1, 1), (480, 0, 1)], "cuts pictures out"),
    "at double speed": ([(480, 0, 2)], "speed"),
}


@pytest.mark.parametrize("every", [1, 6])
@pytest.mark.parametrize(("edits", "because"), EDITS.values(), ids=EDITS)
async def test_an_edit_list_is_judged_itself_since_nothing_may_be_left_of_what_it_cuts(
    bench, tmp_path, edits, because, every
):
    whole = write_clip(tmp_path / "whole.mp4", options={"bf": "0", "g": f"{every}", "sc_threshold": "0"})

    result, _ = await verdict(bench, with_edits(whole, tmp_path / "cut.mp4", *edits), is_known_whole=True)

    assert result["media_type"] == ("video/mp4" if because is None else None)
    assert because is None or because in result["because"]


@pytest.mark.parametrize(("lasts_ms", "is_shown"), [(480, True), (441, True), (440, False), (400, False)])
async def test_the_last_picture_is_found_where_pictures_are_stored_in_another_order(
    bench, tmp_path, lasts_ms, is_shown
):
    whole = write_clip(tmp_path / "whole.mp4", options={"bf": "2", "g": "10", "sc_threshold": "0"})
    edited = with_edits(whole, tmp_path / "cut.mp4", (lasts_ms, 2 * TICK, 1))

    result, _ = await verdict(bench, edited, is_known_whole=True)

    assert (result["media_type"] is not None) is is_shown


async def test_a_stream_that_browsers_do_not_choose_speaks_against_it(bench, tmp_path):
    two = rewrap(write_clip(tmp_path / "one.mp4"), tmp_path / "two.mp4", video_copies=2)

    first, _ = await verdict(bench, two, video_stream=0)
    second, _ = await verdict(bench, two, video_stream=1)

    assert first["media_type"] == "video/mp4"
    assert "another stream than 1" in second["because"]


async def test_damage_inside_a_picture_is_found_by_decoding_and_only_when_no_job_has_done_so(bench, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", size_wh=(320, 240), options={"crf": "1"})
    content = bytearray(clip.read_bytes())
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 3
    content[middle : middle + 300] = np.random.default_rng(3).integers(0, 256, 300, np.uint8).tobytes()
    clip.write_bytes(content)

    looked, _ = await verdict(bench, clip)
    believed, _ = await verdict(bench, clip, is_known_whole=True)

    assert looked["media_type"] is None
    assert "damaged" in looked["because"]
    assert believed["media_type"] == "video/mp4"


@pytest.mark.parametrize(("ending", "kind"), [("png", "png"), ("jpg", "jpeg"), ("webp", "webp")])
async def test_images_of_the_web_are_left_as_they_are(bench, tmp_path, ending, kind):
    path = tmp_path / f"image.{ending}"
    cv2.imwrite(str(path), np.full((24, 33, 3), 90, np.uint8))

    result, _ = await verdict(bench, path, kind="image")

    assert result == {"media_type": f"image/{kind}", "because": None}


@pytest.mark.parametrize(
    ("header", "because"),
    [
        pytest.param({"codec": "jpeg", "orientation": 6}, None, id="a turned JPEG"),
        pytest.param({"codec": "png", "orientation": 6}, "not every browser turns png images", id="a turned PNG"),
        pytest.param({"codec": "webp", "pictures": 2}, "browsers show all of its pictures", id="an animation"),
        pytest.param({"codec": "tiff"}, "browsers do not show tiff images", id="a TIFF"),
    ],
)
def test_an_image_that_browsers_show_otherwise_than_the_job_sees_it_is_not_left_as_it_is(header, because):
    found = against_image(ImageHeader(**{"width": 4, "height": 2, **header}))

    assert found is None if because is None else because in found


MATRICES = {
    "mirrored": ((-1, 0, 0, 1), "mirrors"),
    "slanted": ((0.7071, 0.7071, -0.7071, 0.7071), "no multiple of 90 degrees"),
}


@pytest.mark.parametrize(("matrix", "because"), MATRICES.values(), ids=MATRICES)
async def test_a_video_that_is_mirrored_or_slanted_is_copied(bench, tmp_path, matrix, because):
    path = write_clip(tmp_path / "matrix.mp4", matrix=matrix)

    result, _ = await verdict(bench, path, is_known_whole=True)

    assert result["media_type"] is None
    assert because in result["because"]


async def test_a_tiff_becomes_a_png_of_the_same_pixels_with_one_time(bench, tmp_path):
    image = np.random.default_rng(1).integers(0, 256, (25, 33, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.tiff"), image)

    judged, _ = await verdict(bench, tmp_path / "a.tiff", kind="image")
    result, copy, table, _ = await copied(bench, tmp_path / "a.tiff", kind="image")

    assert judged == {"media_type": None, "because": "browsers do not show tiff images"}
    assert result == {"frames": 1, "width": 33, "height": 25, "pixel_aspect": None}
    assert (cv2.imread(str(copy)) == image).all()
    assert table == [0]


COPIED = {
    "motion jpeg in avi": (("a.avi", "mjpeg"), {"pix_fmt": "yuvj420p"}),
    "an mpeg transport stream": (("a.ts",), {}),
    "hevc": (("a.mp4", "libx265"), {}),
    "av1": (("a.webm", "libsvtav1"), {"options": AV1}),
    "a variable rate": (("a.mkv",), {"times": UNEVEN}),
    "h264 of 10 bits": (("a.mp4",), {"pix_fmt": "yuv420p10le"}),
    "odd sizes": (("a.mkv", "ffv1"), {"pix_fmt": "bgr0", "size_wh": (161, 121)}),
}


@pytest.mark.parametrize(("where", "how"), COPIED.values(), ids=COPIED)
async def test_a_copy_has_the_pictures_of_the_job_at_the_times_of_its_table(bench, tmp_path, where, how):
    name, *codec = where
    path = write_clip(tmp_path / name, *codec, **how)
    told = await bench.job(input=str(path))

    result, copy, table, said = await copied(bench, path)

    frames = decoded(copy)
    assert result["frames"] == len(frames) == len(told.rows) == FRAMES
    assert table == [round(frame.pts * frame.time_base * 1_000_000) for frame in frames]
    assert all(one < other for one, other in pairwise(table))
    assert table == pytest.approx([row["timestamp_ms"] * 1000 for row in told.rows], abs=12)
    greys = [frame.to_ndarray(format="gray")[-20:].mean() for frame in frames]
    assert greys == pytest.approx([brightness_of(index) for index in range(FRAMES)], abs=6)
    assert (result["width"], result["height"]) == (frames[0].width, frames[0].height)
    assert next(message.percent for message in said if isinstance(message, messages.Progress)) < 100
    judged, _ = await verdict(bench, copy)
    assert judged == {"media_type": "video/mp4", "because": None}, "browsers play the copy"


async def test_a_copy_of_a_turned_video_is_upright(bench, tmp_path):
    path = write_clip(tmp_path / "turned.mp4", "mpeg4", turn=-90, draw=dark_above)

    result, copy, _, _ = await copied(bench, path)

    image = decoded(copy)[0].to_ndarray(format="gray")
    assert (result["width"], result["height"]) == image.shape[::-1] == (120, 160)
    left, right = image[:, :50].mean(), image[:, 70:].mean()
    assert (abs(left - right) > 10) and left > right, "the dark half was above, and is on the right now"


async def test_frames_with_equal_times_get_rising_ones(bench, tmp_path):
    times = [0, 40, 40, 40, 80, 120, 120, 160, 200, 240, 280, 320]
    path = write_clip(tmp_path / "equal.mkv", "ffv1", pix_fmt="bgr0", times=times)

    _, copy, table, _ = await copied(bench, path)

    assert len(table) == len(set(table)) == FRAMES
    assert table == sorted(table)
    assert len(decoded(copy)) == FRAMES


@pytest.mark.parametrize("spec", [PlayableSpec, PlayableCopySpec])
async def test_what_is_no_video_is_refused(bench, tmp_path, spec):
    (tmp_path / "text.mp4").write_text("no video at all")
    names = {"output": "out", "times": "times"} if spec is PlayableCopySpec else {}

    outcome = await bench.zygote.run(
        Order(spec(str(tmp_path / "text.mp4"), **names), limits=Limits(), folder=bench.left())
    )

    assert (outcome.ok, outcome.code) == (False, Code.MEDIA_INVALID)
