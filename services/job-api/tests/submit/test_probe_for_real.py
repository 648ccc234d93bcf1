"""Uploads judged by the real sandbox: good media becomes a job, everything else leaves nothing but a sentence."""

import asyncio
import io
import zipfile

import av
import numpy as np
import psutil
import pytest

from forgesyte_job_api.submit.upload_sample import EDGE_BYTES
from tests.support import alive, eventually, job_ids, make_clip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> bytes:
    """160 x 120 pixels, 60 frames, its index at the end of the file."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4").read_bytes()


@pytest.fixture(scope="session")
def png(tmp_path_factory) -> bytes:
    """64 x 48 pixels."""
    path = tmp_path_factory.mktemp("image") / "image.png"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture(scope="session")
def sound(tmp_path_factory) -> bytes:
    """An MP4 with audio alone."""
    path = tmp_path_factory.mktemp("sound") / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 44100
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> bytes:
    """A MOV of noise that is larger than what is kept of it, its index at the end."""
    path = tmp_path_factory.mktemp("large") / "large.mov"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qmin": "1", "qmax": "1"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(60):
            image = noise.integers(0, 256, (480, 640, 3), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture
async def real(start, make):
    """job-api with a zygote of its own and a plugin that takes both kinds; a probe may take as long as it needs."""
    async with start(zygote="real", probe_timeout_s=60) as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("look", inputs=("image", "video")),)))
        yield api


async def send(api, kind: str, content, name: str = "upload"):
    params = {"plugin_id": "motion", "tool": "look", "filename": name}
    headers = {"Content-Type": "application/octet-stream"}
    return await api.http.post(f"/v1/{kind}/submit", params=params, content=content, headers=headers)


async def assert_nothing_is_left(api, tmp_path) -> None:
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.name != "jobs"] == []
    scratch = [path.name for path in (tmp_path / "scratch").rglob("*")]
    empty = ("lock", "homes", "inbox", "scratch")
    assert [name for name in scratch if name not in empty and not name.startswith(("job-api-", "slot-"))] == []
    assert await job_ids(api.bus) == []


async def test_a_good_video_becomes_a_job_that_knows_its_facts(real, clip, tmp_path):
    answer = await send(real, "video", clip, "clip.mp4")

    assert answer.status_code == 202, answer.text
    record = (await real.bus.jobs.get(answer.json()["job_id"])).record
    assert record.decode is not None
    assert record.decode.model_dump(include={"codec", "fps", "rotation", "width", "height"}) == {
        "codec": "h264", "fps": 25.0, "rotation": 0, "width": 160, "height": 120,
    }  # fmt: skip
    assert record.total_frames is None


async def test_a_good_image_becomes_a_job_that_knows_its_facts(real, png):
    answer = await send(real, "image", png, "image.png")

    assert answer.status_code == 202, answer.text
    record = (await real.bus.jobs.get(answer.json()["job_id"])).record
    assert record.decode is not None
    assert (record.decode.codec, record.decode.width, record.decode.height) == ("png", 64, 48)


async def test_a_video_larger_than_what_is_kept_is_judged_by_its_ends(real, large):
    assert len(large) > 2 * EDGE_BYTES + 1_000_000

    answer = await send(real, "video", large, "large.mov")

    assert answer.status_code == 202, answer.text
    record = (await real.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.input.size_bytes, record.decode.codec, record.decode.width) == (len(large), "mjpeg", 640)


async def test_the_same_cut_in_its_middle_is_refused(real, large, tmp_path):
    answer = await send(real, "video", large[: len(large) // 2], "large.mov")

    assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID"), answer.text
    await assert_nothing_is_left(real, tmp_path)


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text" * 100)
    return buffer.getvalue()


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile '/etc/passwd'\n"

REFUSED = {
    "text": ("video", lambda media: b"just some text\n" * 50, "text"),
    "zip named mp4": ("video", lambda media: a_zip(), ""),
    "noise": ("video", lambda media: np.random.default_rng(1).bytes(100_000), ""),
    "playlist": ("video", lambda media: PLAYLIST, ""),
    "concat script": ("video", lambda media: CONCAT, ""),
    "image as video": ("video", lambda media: media["png"], "image"),
    "audio alone": ("video", lambda media: media["sound"], "audio"),
    "video without its index": ("video", lambda media: media["clip"][: int(0.6 * len(media["clip"]))], "index"),
    "video as image": ("image", lambda media: media["clip"], "image"),
    "half an image": ("image", lambda media: media["png"][: len(media["png"]) // 2], ""),
    "text as image": ("image", lambda media: b"just some text\n" * 50, "PNG, JPEG, WebP or TIFF"),
}


@pytest.mark.parametrize(("kind", "made", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_usable_media_gets_a_sentence_and_leaves_nothing(
    real, tmp_path, clip, png, sound, kind, made, said
):
    answer = await send(real, kind, made({"clip": clip, "png": png, "sound": sound}), "upload.mp4")

    assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID"), answer.text
    assert said in answer.json()["detail"]
    assert "expected a" in answer.json()["detail"]
    assert "passwd" not in answer.text
    await assert_nothing_is_left(real, tmp_path)


TOO_LARGE = {
    "side": ("video", {"max_side_px": 100}, ("160", "100")),
    "frames": ("video", {"max_frames": 50}, ("60", "50")),
    "memory": ("video", {"decode_memory_bytes": 1 << 20}, ("MiB", "1 MiB")),
    "pixels": ("image", {"max_image_pixels": 3000}, ("3072", "3000")),
}


@pytest.mark.parametrize(("kind", "settings", "said"), TOO_LARGE.values(), ids=TOO_LARGE)
async def test_what_is_over_a_limit_is_refused_with_both_numbers(
    start, make, tmp_path, clip, png, kind, settings, said
):
    async with start(zygote="real", probe_timeout_s=60, **settings) as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("look", inputs=("image", "video")),)))

        answer = await send(api, kind, clip if kind == "video" else png)

        assert (answer.status_code, answer.json()["code"]) == (413, "MEDIA_TOO_LARGE"), answer.text
        for word in said:
            assert word in answer.json()["detail"]
        await assert_nothing_is_left(api, tmp_path)


async def test_a_probe_that_takes_too_long_is_a_refusal_and_no_500(start, make, tmp_path, clip):
    async with start(zygote="real", probe_timeout_s=0.001) as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("look"),)))

        answer = await send(api, "video", clip)

        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID"), answer.text
        assert "longer than 0.001 s" in answer.json()["detail"]
        await assert_nothing_is_left(api, tmp_path)


async def test_a_probe_that_takes_too_much_memory_is_a_refusal_and_no_500(start, make, tmp_path):
    huge = make_clip(tmp_path / "huge.mp4", frames=1, size_wh=(4096, 4096)).read_bytes()
    async with start(zygote="real", probe_timeout_s=60, probe_memory_bytes=20 << 20) as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("look"),)))

        answer = await send(api, "video", huge)

        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID"), answer.text
        assert "more memory than the 20 MiB" in answer.json()["detail"]
        await assert_nothing_is_left(api, tmp_path)


async def test_a_zygote_that_is_killed_costs_no_upload(real, clip):
    psutil.Process(real.state.zygote.pid).kill()

    answers = await asyncio.gather(*(send(real, "video", clip) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [202] * 4


async def test_the_zygote_ends_with_the_application(start):
    async with start(zygote="real") as api:
        zygote = psutil.Process(api.state.zygote.pid)
        assert zygote.is_running()

    await eventually(lambda: not alive([zygote]))
