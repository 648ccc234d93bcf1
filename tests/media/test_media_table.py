"""Every kind of file a stranger may send: the probe's verdict, and the job's frames against the truth drawn into them.

Each line runs in two real sandboxes, one that probes and one that decodes; the table is printed at the end of the run.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import orjson
import pytest

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec, MediaLimits, ProbeSpec

from . import accepted_images, accepted_videos, making, refused
from .case import Accepted, Refused
from .truth import SIZE_WH, is_upright

LIMITS = Limits(probe_timeout_s=60)
pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="the table's files are made by the ffmpeg program"
)

ACCEPTED = [
    *(pytest.param(case, id=case.name) for case in (*accepted_videos.VIDEOS, *accepted_images.IMAGES)),
    *(pytest.param(case, id=case.name, marks=pytest.mark.long) for case in accepted_videos.LONG),
]


def folder(tmp_path, name):
    made = tmp_path / name
    made.mkdir()
    return made


async def probed(zygote, path, case):
    spec = ProbeSpec(str(path), case.kind, path.stat().st_size, media=MediaLimits(**case.spec))
    return await zygote.run(Order(spec, limits=LIMITS))


async def decoded(zygote, path, case):
    said = []
    media = MediaLimits(**case.spec)
    order = JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1", case.kind, media=media)
    outcome = await zygote.run(Order(order, limits=LIMITS, on_message=said.append))
    return outcome, said


@pytest.mark.parametrize("case", ACCEPTED)
async def test_frames_come_out_as_they_were_drawn(zygote, tmp_path, line, case: Accepted):
    path = case.make(folder(tmp_path, "made"))

    probe = await probed(zygote, path, case)
    outcome, said = await decoded(zygote, path, case)

    assert (probe.ok, outcome.ok) == (True, True), (probe.error, outcome.error)
    report = SimpleNamespace(**probe.result)
    rows = [orjson.loads(message.data) for message in said if isinstance(message, messages.Row)]
    warnings = [message.text for message in said if isinstance(message, messages.Warning)]
    result, truths = outcome.result, [row["detections"] for row in rows]
    line((
        case.name, "accepted", report.container, report.codec, f"{report.width}x{report.height}", report.rotation,
        f"{len(rows)}/{report.frames}{'' if report.frames_exact else '~'}", rows[0]["timestamp_ms"],
        rows[-1]["timestamp_ms"], "; ".join(warnings),
    ))  # fmt: skip
    assert report.is_certain
    assert (report.container, report.codec, result["codec"]) == (case.container, case.codec, case.codec)
    assert (report.width, report.height) == (result["width"], result["height"]) == case.size_wh
    assert report.rotation == result["rotation"] == case.rotation
    assert_count(case, report, result, rows)
    assert_truth(case, rows, truths)
    assert case.streams is None or report.streams == case.streams
    assert any(case.warns in text for text in warnings) if case.warns else not unexpected(case, warnings)
    assert (result["frames_corrupt"] > 0) or not case.corrupt


def assert_count(case, report, result, rows):
    least, most = case.frames or (len(case.numbers), len(case.numbers))
    assert least <= len(rows) <= most
    assert result["frames_decoded"] == result["total_frames"] == len(rows)
    assert [row["frame_index"] for row in rows] == list(range(len(rows)))
    assert case.announced is None or (report.frames, report.frames_exact) == case.announced


def assert_truth(case, rows, truths):
    assert rows[0]["timestamp_ms"] == 0
    assert case.last_ms is None or rows[-1]["timestamp_ms"] == pytest.approx(case.last_ms, abs=1.5)
    if case.numbers is not None:
        assert [truth["number"] for truth in truths] == list(case.numbers)
    if min(case.size_wh) > 8 and not case.corrupt and "black" not in case.name:
        assert all(is_upright(truth["corners"], has_colours=case.has_colours) for truth in truths), truths[0]


def unexpected(case, warnings):
    is_open = case.frames is not None and case.frames[0] != case.frames[1]
    return [] if is_open else warnings


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.kind} {case.name}") for case in refused.REFUSED])
async def test_an_unusable_file_is_refused_by_probe_and_job_alike(zygote, tmp_path, line, case: Refused):
    path = case.make(folder(tmp_path, "made"))

    probe = await probed(zygote, path, case)
    outcome, said = await decoded(zygote, path, case)

    line((case.name, probe.code, *[""] * 7, probe.error))
    assert (probe.kind, probe.code, outcome.code) == ("failed", case.code, case.code)
    assert outcome.error == probe.error
    assert not any(isinstance(message, messages.Row) for message in said)
    for words in case.says:
        assert words in probe.error


def test_the_table_is_long_enough():
    assert len(ACCEPTED) + len(refused.REFUSED) >= 40


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in accepted_videos.TURNED[:3]])
def test_the_ffmpeg_program_turns_the_same_way(tmp_path, case: Accepted):
    """Compare our direction with an independent one: otherwise file and reader could be wrong together."""
    path = case.make(folder(tmp_path, "made"))

    pixels = making.ffmpeg("-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "bgr24", "-")

    width, height = SIZE_WH
    image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    assert is_upright([image[place].tolist() for place in ((4, 6), (4, width - 7), (height - 5, 6))])
