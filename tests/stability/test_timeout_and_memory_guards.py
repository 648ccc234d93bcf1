"""Timeout and memory guards: real kills, real memory."""

from dataclasses import replace

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.limits import MIB
from tests.stability.workbench import LIMITS

GUARDED = replace(LIMITS, memory_bytes=512 * MIB)


@pytest.mark.slow
async def test_a_body_that_sleeps_past_its_limit_of_1_s_fails_with_timeout(workbench):
    limits = replace(GUARDED, frame_timeout_s=1)

    outcome = (await workbench.run("sleeps-in-c", scratch=workbench.scratch("slow"), limits=limits)).outcome

    assert (outcome.ok, outcome.kind, outcome.code, outcome.error_type) == (
        False, "timeout", Code.PLUGIN_TIMEOUT, "timeout",
    )  # fmt: skip
    assert "limit of 1 s" in outcome.error


@pytest.mark.slow
async def test_a_body_within_its_limit_passes(workbench):
    limits = replace(GUARDED, frame_timeout_s=10)

    outcome = (await workbench.run("slow-within-limit", scratch=workbench.scratch("fast"), limits=limits)).outcome

    assert outcome.ok, outcome


async def test_8_gib_of_zeros_under_512_mib_fails_with_oom_though_they_are_never_resident(workbench):
    outcome = (await workbench.run("takes-8-gib-of-zeros", scratch=workbench.scratch("8"), limits=GUARDED)).outcome

    assert (outcome.ok, outcome.kind, outcome.code, outcome.frame) == (False, "oom", Code.PLUGIN_OOM, 2)
    assert "memory" in outcome.error


async def test_a_small_array_passes(workbench):
    outcome = (await workbench.run("takes-8-mib", scratch=workbench.scratch("small"), limits=GUARDED)).outcome

    assert outcome.ok, outcome
