"""Exactly the one warning that belongs to a file; test_clock has the files that get none."""

import shutil

import pytest

from forgesyte_sandbox.child.media.headers.icc import unusual_profile
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec

from .sick import IMAGES, VIDEOS, icc_profile, jpegs, jpegs_between_lines, jpegs_by_ffmpeg

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the files are made by the ffmpeg program")

SICK = [
    *(pytest.param("video", *case, id=name) for name, case in VIDEOS.items()),
    *(pytest.param("image", *case, id=name) for name, case in IMAGES.items()),
]
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


async def decoded(zygote, path, kind):
    said = []
    spec = JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1", kind)
    outcome = await zygote.run(Order(spec, limits=Limits(), on_message=said.append))
    assert outcome.ok, outcome.error
    return outcome, [message.text for message in said if isinstance(message, messages.Warning)]


@pytest.mark.parametrize(("kind", "make", "words"), SICK)
async def test_a_sick_file_has_the_one_warning_that_belongs_to_it(zygote, tmp_path, kind, make, words):
    path = make(tmp_path)

    _, warnings = await decoded(zygote, path, kind)

    assert len(warnings) == 1, warnings
    assert words in warnings[0]


def test_there_are_enough_sick_files():
    assert len(SICK) >= 20


@pytest.mark.parametrize("make", [jpegs, jpegs_by_ffmpeg, jpegs_between_lines])
async def test_jpegs_end_to_end_are_a_video_without_a_warning(zygote, tmp_path, make):
    outcome, warnings = await decoded(zygote, make(tmp_path), "video")

    assert (outcome.result["frames_decoded"], outcome.result["clock"], warnings) == (30, "counted", [])


@pytest.mark.parametrize("name", ["sRGB IEC61966-2.1", "c2", "Camera"])
def test_a_profile_with_the_colours_of_a_screen_is_nothing_unusual(name):
    assert unusual_profile(icc_profile(name, SRGB)) is None


@pytest.mark.parametrize("profile", [b"", b"\0" * 131, bytes(16) + b"RGB " + bytes(400), b"\xff" * 600])
def test_a_profile_without_sense_is_nothing_unusual(profile):
    assert unusual_profile(profile) is None
