"""The probe over files of which the middle was not kept, its limits, and what it refuses to touch."""

import os
import socket
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared.limits import MIB
from forgesyte_sandbox.shared.specs import ProbeSpec
from tests.support import make_clip
from tests.support.left_behind import left_in

from ...conftest import LIMITS
from ..media.test_media import write_clip


async def look(bench, path, *, limits=LIMITS, **spec):
    return await bench.zygote.run(Order(ProbeSpec(str(path), **spec), limits=limits))


async def report_of(bench, path, **spec):
    outcome = await look(bench, path, **spec)
    assert outcome.ok, outcome
    return SimpleNamespace(**outcome.result)


def keep_ends(source, target, *, kept):
    """Write a sparse copy that holds only the first and the last bytes; return size and holes."""
    size = source.stat().st_size
    with source.open("rb") as read, target.open("wb") as write:
        write.truncate(size)
        write.write(read.read(kept))
        read.seek(size - kept)
        write.seek(size - kept)
        write.write(read.read())
    return {"size_bytes": size, "holes": ((kept, size - kept),)}


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Noise, which compresses badly: enough bytes to have a middle."""
    return write_clip(tmp_path_factory.mktemp("long") / "long.mp4", frames=60, options={"crf": "4"})


async def test_an_index_at_the_end_is_read_over_the_hole(bench, tmp_path, long_clip):
    size = long_clip.stat().st_size
    holes = keep_ends(long_clip, tmp_path / "ends.mp4", kept=size // 5)

    report = await report_of(bench, tmp_path / "ends.mp4", **holes)

    assert report == await report_of(bench, long_clip)
    assert (report.is_certain, report.frames, report.frames_exact) == (True, 60, True)


async def test_an_index_in_the_hole_leaves_the_verdict_to_the_job(bench, tmp_path, long_clip):
    holes = keep_ends(long_clip, tmp_path / "ends.mp4", kept=200)

    report = await report_of(bench, tmp_path / "ends.mp4", **holes)

    assert (report.is_certain, report.frames, report.codec) == (False, None, None)
    assert "middle of the file" in report.note


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi"])
async def test_other_containers_are_recognised_by_their_ends(bench, tmp_path, suffix):
    codec = "mpeg4" if suffix == "avi" else "libx264"
    whole = write_clip(tmp_path / f"whole.{suffix}", codec=codec, options={"g": "10"} if codec == "mpeg4" else None)
    holes = keep_ends(whole, tmp_path / "ends", kept=whole.stat().st_size // 3)

    report = await report_of(bench, tmp_path / "ends", **holes)

    assert (report.width, report.height) == (160, 120)
    assert report.frames == pytest.approx(60, abs=2)


async def test_what_is_not_a_video_is_refused_despite_a_hole(bench, tmp_path):
    (tmp_path / "text").write_bytes(b"hello\n" * 10_000)

    outcome = await look(bench, tmp_path / "text", holes=((20_000, 40_000),))

    assert outcome.code is Code.MEDIA_INVALID
    assert "is a text file, not a video" in outcome.error


async def test_an_image_with_a_hole_is_judged_by_its_header(bench, tmp_path):
    import cv2

    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "whole.png"), noise)
    holes = keep_ends(tmp_path / "whole.png", tmp_path / "ends.png", kept=5000)

    report = await report_of(bench, tmp_path / "ends.png", kind="image", **holes)

    assert (report.is_certain, report.width, report.height, report.frames) == (False, 400, 300, 1)


async def test_the_directory_of_a_tiff_is_found_behind_the_hole(bench, tmp_path):
    import cv2

    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "whole.tiff"), noise)
    holes = keep_ends(tmp_path / "whole.tiff", tmp_path / "ends.tiff", kept=5000)

    report = await report_of(bench, tmp_path / "ends.tiff", kind="image", **holes)

    assert (report.width, report.height) == (400, 300)


async def test_a_probe_has_a_time_limit_of_its_own(bench, tmp_path):
    os.mkfifo(tmp_path / "never")

    outcome = await look(bench, tmp_path / "never", limits=replace(LIMITS, probe_timeout_s=0.2))

    assert outcome.kind == "timeout"
    assert "examining the file took longer than its limit of 0.2 s" in outcome.error


async def test_lack_of_memory_is_oom_and_no_damage(bench, tmp_path):
    path = write_clip(tmp_path / "large.mp4", frames=2, size_wh=(3840, 2160), options={"preset": "ultrafast"})

    outcome = await look(bench, path, limits=replace(LIMITS, memory_bytes=8 * MIB))

    assert outcome.kind == "oom"


async def test_a_playlist_opens_no_connection(bench, tmp_path):
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        threading.Thread(target=lambda: (accept(server), came.set()), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        for content in (f"#EXTM3U\n#EXTINF:1,\n{address}\n", f"\ufeff#EXTM3U\n#EXTINF:1,\n{address}\n", address):
            (tmp_path / "list").write_text(content)
            for kind in ("video", "image"):
                assert (await look(bench, tmp_path / "list", kind=kind)).code is Code.MEDIA_INVALID
            told = await bench.job(input=str(tmp_path / "list"))
            assert told.outcome.code is Code.MEDIA_INVALID
        assert not came.is_set()


def accept(server):
    try:
        server.accept()[0].close()
    except OSError:
        threading.Event().wait()


async def test_the_probe_leaves_the_file_and_the_scratch_as_they_were(bench, tmp_path):
    path = make_clip(tmp_path / "plain.mp4", frames=5)
    before = path.read_bytes()

    left = bench.left()
    with left_in(left):
        await look(bench, path)

    assert path.read_bytes() == before
    assert list(left.iterdir()) == []
