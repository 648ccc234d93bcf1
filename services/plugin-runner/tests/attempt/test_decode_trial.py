"""Whose fault a death is, for each way in which decoding the same input without the plugin can end."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.attempt.decode_trial import BEYOND_FRAMES, DecodeTrial
from forgesyte_plugin_runner.attempt.failure import Failure
from forgesyte_plugin_runner.metrics import RunnerMetrics
from forgesyte_plugin_runner.plugin_labels import PluginLabels
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import Row, Started
from forgesyte_sandbox.shared.specs import DecodeSpec, JobSpec
from tests.support import eventually

from ..inside import NOT_STARTED, SUCCEEDED, a_runner, ten_rows
from ..test_faults import assert_ten_rows, ended, submit
from ..test_jobs import outcomes
from .state.test_attempt_state import a_running_record

SPEC = JobSpec("probe:Probe", ("gate",), "/input", "job")


def died(kind, clause, **facts) -> SandboxOutcome:
    codes = {"timeout": Code.PLUGIN_TIMEOUT, "oom": Code.PLUGIN_OOM, "crashed": Code.PLUGIN_CRASH}
    known = {"code": codes[kind], "clause": clause, "frame": 3, "decoding": 3, "start_ms": 1.0}
    return SandboxOutcome(False, None, f"{clause} at frame 3", kind, 1.0, kind, **{**known, **facts})


HANGS = died("timeout", "a decode step took longer than its limit of 60 s")
CRASHES = died("crashed", "the sandbox was killed by SIGSEGV before it finished", exit_code=-11)
NO_MEMORY = died("oom", "memory was refused")
REFUSED = SandboxOutcome(
    False, None, "The file has 300000 edits.", "MediaInvalid", 1.0, "failed", code=Code.MEDIA_INVALID, frame=None
)


class Alone:
    """Decodes without the plugin: ends as it was told to, one end after the other."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.orders = []

    async def run(self, order):
        self.orders.append(order)
        return self.ends[min(len(self.orders), len(self.ends)) - 1]


async def settle(outcome, *ends):
    alone = Alone(*ends)
    trial = DecodeTrial(a_running_record(), SPEC, Order(SPEC, Limits(frame_timeout_s=60)), alone.run)
    return await trial.settle(outcome), alone


@pytest.mark.parametrize("outcome", [HANGS, CRASHES, NO_MEMORY], ids=["timeout", "crashed", "oom"])
async def test_media_on_which_decoding_alone_dies_too_is_to_blame(outcome):
    failure, alone = await settle(outcome, replace(outcome, decoding=5, frame=5))

    assert isinstance(failure, Failure)
    assert (failure.code, failure.error_type, failure.frame) == (Code.MEDIA_INVALID, outcome.kind, 5)
    assert failure.message.startswith(
        f"At frame 5, decoding the media failed twice, the second time without the plugin: {outcome.clause}."
    )
    (order,) = alone.orders
    assert order.spec == DecodeSpec("/input", 3 + 1 + BEYOND_FRAMES)
    assert order.limits.frame_timeout_s == 60


@pytest.mark.parametrize("outcome", [HANGS, CRASHES, NO_MEMORY], ids=["timeout", "crashed", "oom"])
async def test_a_plugin_is_to_blame_when_decoding_alone_passes(outcome):
    settled, _ = await settle(outcome, SUCCEEDED)

    assert settled == replace(outcome, decoding=None)


async def test_media_that_is_refused_the_second_time_fails_with_that_refusal():
    failure, _ = await settle(CRASHES, REFUSED)

    assert isinstance(failure, Failure)
    assert (failure.code, failure.message.split(".")[0]) == (Code.MEDIA_INVALID, "The file has 300000 edits")


async def test_a_death_that_no_decoder_can_have_caused_is_not_tried():
    outcome = replace(CRASHES, decoding=None)

    settled, alone = await settle(outcome, SUCCEEDED)

    assert (settled, alone.orders) == (outcome, [])


async def test_a_trial_that_was_broken_off_is_repeated_once_and_then_blames_nothing():
    settled, alone = await settle(CRASHES, NOT_STARTED)
    assert settled is CRASHES
    assert len(alone.orders) == 2

    settled, _ = await settle(CRASHES, NOT_STARTED, SUCCEEDED)
    assert settled == replace(CRASHES, decoding=None)


def test_a_sandbox_that_was_killed_while_it_decoded_is_counted_although_no_attempt_ends_so():
    registry = CollectorRegistry()
    metrics = RunnerMetrics(registry, PluginLabels(lambda: {"probe"}))

    for outcome in (HANGS, NO_MEMORY, CRASHES):
        metrics.died_decoding("probe", outcome)

    for reason, count in {"timeout": 1, "oom": 1, "crash": None}.items():
        labels = {"plugin": "probe", "reason": reason}
        assert registry.get_sample_value("forgesyte_runner_sandbox_kills_total", labels) == count


async def three_rows_and_a_hang(say):
    await say(Started("h264", 10, 10))
    for index in range(3):
        await say(Row(index, b'{"frame_index":%d,"detections":""}' % index))
    return HANGS


async def hangs_too(_say):
    return HANGS


async def hang(_say):
    await asyncio.Event().wait()


async def test_a_job_whose_media_hangs_a_decoder_fails_at_once_with_its_rows(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path, three_rows_and_a_hang) as inside:
        inside.script.decoding = hangs_too
        record = await ended(box, await submit(box))
        status = inside.runner._plugins.get_status("probe")

    assert (record.status, record.error_code, record.error_frame) == (JobStatus.FAILED, "MEDIA_INVALID", 3)
    assert outcomes(record) == [AttemptOutcome.FAILED]
    assert (record.summary.frame_count, record.current_frame, len(await box.rows(record.job_id))) == (3, 3, 3)
    assert (status.state, status.error_count) == ("INITIALIZED", 0)


async def test_a_job_that_is_cancelled_while_its_media_is_tried_is_cancelled_with_its_rows(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path, three_rows_and_a_hang) as inside:
        inside.script.decoding = hang
        job_id = await submit(box)
        await eventually(lambda: inside.script.decoded, 60, "decoding alone")
        assert await box.cancel(job_id)
        record = await ended(box, job_id)

    assert (record.status, outcomes(record)) == (JobStatus.CANCELLED, [AttemptOutcome.CANCELLED])
    assert (record.summary.frame_count, record.current_frame, record.attempts[0].frame) == (3, 3, 3)


async def test_a_drain_does_not_wait_for_a_trial_and_the_next_runner_begins_again(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path, three_rows_and_a_hang, drain_s=0.1) as inside:
        inside.script.decoding = hang
        job_id = await submit(box)
        await eventually(lambda: inside.script.decoded, 60, "decoding alone")
        await inside.drained()
    record = await box.record(job_id)
    assert (record.owner, outcomes(record)) == (None, [AttemptOutcome.RELEASED])

    async with a_runner(box.nats.url, tmp_path, ten_rows, name="heir"):
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)


async def test_a_death_of_which_the_cause_is_not_known_counts_for_the_job_alone(box, tmp_path):
    async def not_at_all(_say):
        return NOT_STARTED

    async with a_runner(box.nats.url, tmp_path, three_rows_and_a_hang) as inside:
        inside.script.decoding = not_at_all
        record = await ended(box, await submit(box))
        crashes = inside.runner._plugins._entries["probe"].crashes

    assert (record.error_code, outcomes(record)) == ("PLUGIN_TIMEOUT", [AttemptOutcome.TIMEOUT] * 2)
    assert crashes._by_input == {}
