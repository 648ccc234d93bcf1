"""On which device a job runs here, and the reason given when it is not the chosen one."""

from datetime import UTC, datetime

import pytest

from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_plugin_runner.devices.placement import Placement, devices_for, place_job
from forgesyte_plugin_runner.slots import Slots

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GONE = Placement("cpu", "the gpu it was assigned to is no longer available")


def a_manifest(*, gpu: bool = False) -> PluginManifest:
    facts = {"name": "seeker", "version": "1.0.0", "tools": [{"name": "seek"}], "requires": {"gpu": gpu}}
    return PluginManifest.model_validate(facts)


def a_record(device: str, requested: str = "auto") -> JobRecord:
    facts = {"plugin_id": "seeker", "tools": ("seek",), "device": device, "device_requested": requested}
    return JobRecord(job_id=new_job_id(), created_at=NOW, updated_at=NOW, status="running", **facts)


@pytest.mark.parametrize(
    ("record", "gpu", "kinds", "placement"),
    [
        (a_record("cpu"), False, {"cpu"}, Placement("cpu")),
        (a_record("gpu"), True, {"cpu", "gpu"}, Placement("gpu")),
        (a_record("gpu"), False, {"cpu"}, GONE),
        (a_record("gpu"), True, {"cpu"}, None),
        (a_record("gpu", "gpu"), False, {"cpu"}, None),
    ],
    ids=["cpu", "gpu", "auto falls back", "needs a gpu", "insists on a gpu"],
)
def test_a_job_runs_where_it_was_sent_or_falls_back_when_it_did_not_insist(record, gpu, kinds, placement):
    assert place_job(record, a_manifest(gpu=gpu), kinds) == placement


@pytest.mark.parametrize(
    ("gpu", "kinds", "devices"),
    [
        (False, {"cpu"}, ["cpu"]),
        (False, {"cpu", "gpu"}, ["cpu", "gpu"]),
        (True, {"cpu", "gpu"}, ["gpu"]),
        (True, {"cpu"}, []),
    ],
    ids=["cpu", "both", "gpu alone", "none"],
)
def test_jobs_are_taken_on_every_suitable_device(gpu, kinds, devices):
    assert devices_for(a_manifest(gpu=gpu), kinds) == devices


def test_the_record_names_the_device_and_why_it_is_another():
    state = AttemptState(a_record("gpu"))

    state.placed(GONE)
    record = state.apply(a_record("gpu"), NOW)

    assert (record.device_used, record.fallback, record.fallback_reason) == ("cpu", True, GONE.reason)


def test_a_fallback_decided_at_submit_keeps_its_reason():
    submitted = a_record("cpu").model_copy(update={"fallback": True, "fallback_reason": "no GPU is there"})
    state = AttemptState(submitted)

    state.placed(Placement("cpu"))
    record = state.apply(submitted, NOW)

    assert (record.device_used, record.fallback, record.fallback_reason) == ("cpu", True, "no GPU is there")


def test_a_gpu_takes_fewer_jobs_than_there_are_slots():
    slots = Slots(3, of_device={"gpu": 1})

    slots.reserve("gpu")
    assert (slots.has_room("gpu"), slots.has_room("cpu")) == (False, True)
    slots.reserve("cpu")
    slots.reserve("cpu")
    assert slots.is_full
    slots.free("gpu")
    assert slots.has_room("gpu")
    with pytest.raises(RuntimeError):
        [slots.reserve("gpu") for _ in range(2)]
