"""Decoding without a plugin: what a job's decoder meets, it meets too; and which deaths a decoder may have caused."""

from dataclasses import replace

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared.limits import MIB
from forgesyte_sandbox.shared.specs import DecodeSpec

from ...conftest import LIMITS
from ..media.test_media import write_clip


async def decoded(bench, path, frames=1000, *, limits=LIMITS, **spec):
    return await bench.zygote.run(Order(DecodeSpec(str(path), frames, **spec), limits=limits))


@pytest.fixture(scope="module")
def large_clip(tmp_path_factory):
    """A video that needs more memory than TIGHT allows."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    return write_clip(path, frames=2, size_wh=(3840, 2160), options={"preset": "ultrafast"})


TIGHT = replace(LIMITS, memory_bytes=8 * MIB)


async def test_a_video_is_decoded_to_its_end(bench):
    outcome = await decoded(bench, bench.clip)

    assert (outcome.ok, outcome.result) == (True, {"frames_decoded": 12})
    assert outcome.decoding is None


async def test_no_more_frames_are_decoded_than_were_asked_for_and_those_that_wait(bench):
    outcome = await decoded(bench, bench.clip, 3)

    assert outcome.ok
    assert 3 <= outcome.result["frames_decoded"] <= 12


async def test_an_image_is_decoded(bench, picture_file):
    outcome = await decoded(bench, picture_file, kind="image")

    assert (outcome.ok, outcome.result) == (True, {"frames_decoded": 1})


async def test_what_is_no_video_is_refused(bench, tmp_path):
    (tmp_path / "text").write_text("hello " * 1000)

    outcome = await decoded(bench, tmp_path / "text")

    assert (outcome.kind, outcome.code) == ("failed", Code.MEDIA_INVALID)


async def test_it_dies_where_the_decoder_of_a_job_dies(bench, large_clip):
    told = await bench.job(input=str(large_clip), limits=TIGHT)
    alone = await decoded(bench, large_clip, limits=TIGHT)

    assert (told.outcome.kind, told.outcome.decoding) == ("oom", 0)
    assert (alone.kind, alone.decoding) == ("oom", 0)


async def test_a_plugin_that_raises_or_dies_before_the_media_is_opened_is_no_question(bench):
    raises = await bench.fault("raise")
    loads = await bench.job("DiesInValidate")

    assert (raises.outcome.kind, raises.outcome.decoding) == ("failed", None)
    assert (loads.outcome.kind, loads.outcome.decoding) == ("crashed", None)
