"""Previews: made in the sandbox while a client watches; no job fails over them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from forgesyte_sandbox.child.programs.preview import encode_preview
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import MAX_PREVIEW_BYTES, Preview
from forgesyte_sandbox.shared.specs import JobSpec
from tests.support import brightness_of, make_clip

from ...conftest import LIMITS


async def a_job(bench, *, is_watched=None, **spec):
    told = bench.told()
    order = JobSpec("sandbox_plugins:Good", ["measure"], str(bench.clip), "job-1")
    told.outcome = await bench.zygote.run(
        Order(
            replace(order, **spec),
            limits=LIMITS,
            on_message=told.said.append,
            is_watched=is_watched,
        )
    )
    assert told.outcome.ok, told.outcome
    return told


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


async def test_an_unwatched_job_makes_no_previews(bench):
    asked_for_nothing, asked_in_vain = await a_job(bench), await a_job(bench, is_watched=lambda: False)

    assert asked_for_nothing.of(Preview) == asked_in_vain.of(Preview) == []


async def test_a_preview_shows_its_frame_and_comes_behind_its_row(bench):
    told = await a_job(bench, is_watched=lambda: True)

    first = told.of(Preview)[0]
    row = next(said for said in told.of(messages.Row) if said.frame_index == first.frame_index)
    assert told.said.index(row) < told.said.index(first)
    assert (first.width, first.height) == (160, 120)
    assert decoded(first.jpeg).shape == (120, 160, 3)
    assert decoded(first.jpeg).mean() == pytest.approx(brightness_of(first.frame_index), abs=6)


async def test_a_large_frame_is_shown_640_wide(bench, tmp_path):
    clip = make_clip(tmp_path / "large.mp4", frames=3, size_wh=(1920, 1080))

    told = await a_job(bench, is_watched=lambda: True, input=str(clip))

    first = told.of(Preview)[0]
    assert (first.width, first.height) == (1920, 1080)
    assert decoded(first.jpeg).shape == (360, 640, 3)


@pytest.mark.parametrize(
    ("size_wh", "shown_wh"),
    [((100, 50), (100, 50)), ((641, 480), (640, 479)), ((600, 12800), (60, 1280)), ((64000, 1), (640, 1))],
    ids=["as it is", "wide", "very high", "a line"],
)
def test_pictures_of_all_sizes_become_small_ones(size_wh, shown_wh):
    image = np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)

    shown = decoded(encode_preview(image))

    assert (shown.shape[1], shown.shape[0]) == shown_wh


def test_noise_stays_within_the_limit_or_is_left_out():
    noise = np.random.default_rng(1).integers(0, 255, (1280, 640, 3), np.uint8)

    jpeg = encode_preview(noise)

    assert jpeg is None or len(jpeg) <= MAX_PREVIEW_BYTES


async def test_a_warm_sandbox_forgets_that_the_job_before_was_watched(bench):
    from forgesyte_sandbox.parent.pool import WarmKey, WarmPool

    spec = JobSpec("sandbox_plugins:Good", ["measure"], str(bench.clip), "job-1")
    async with WarmPool.open(bench.zygote, slots=1) as pool:
        shown = []
        for is_watched in (lambda: True, None, lambda: True):
            told = bench.told()
            outcome = await pool.run(
                WarmKey("good", "cpu"),
                Order(
                    spec,
                    limits=LIMITS,
                    on_message=told.said.append,
                    is_watched=is_watched,
                ),
            )
            assert outcome.ok, outcome
            shown.append(len(told.of(Preview)) > 0)

    assert shown == [True, False, True]


async def test_whether_a_job_is_watched_is_asked_before_its_sandbox_begins(bench):
    asked = []
    told = bench.told()
    order = Order(
        JobSpec("sandbox_plugins:Good", ["measure"], str(bench.clip), "job-1"),
        limits=LIMITS,
        on_started=lambda pid: asked.append("started"),
        on_message=told.said.append,
        is_watched=lambda: asked.append("watched?") or True,
    )

    outcome = await bench.zygote.run(order)

    assert outcome.ok, outcome
    assert asked[:2] == ["watched?", "started"]
    assert told.of(Preview)[0].frame_index == 0
