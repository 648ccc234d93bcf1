"""The device of a job, chosen by what the runners' heartbeats say."""

import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import offers_of
from forgesyte_job_api.submit.devices import choose_device

CPU = ("cpu",)
GPU = ("gpu",)
BOTH = ("cpu", "gpu")
SMALL = "it needs a GPU with 8192 MiB of memory and the largest here has 4096 MiB"

CHOSEN = {
    "auto is the cpu for a plugin that says nothing of a gpu": (BOTH, {}, "auto", "cpu"),
    "auto takes the gpu when nothing else is there": (GPU, {}, "auto", "gpu"),
    "auto is the gpu when the plugin can use it": (BOTH, {"uses_gpu": True}, "auto", "gpu"),
    "auto is the gpu when the plugin needs it": (BOTH, {"needs_gpu": True}, "auto", "gpu"),
    "cpu for a plugin that could use the gpu": (BOTH, {"uses_gpu": True}, "cpu", "cpu"),
    "gpu for a plugin that says nothing of one": (BOTH, {}, "gpu", "gpu"),
}
REFUSED = {
    "gpu where no runner has one": (CPU, {}, "gpu", "no living runner offers it on a gpu"),
    "cpu where no runner has one": (GPU, {}, "cpu", "no living runner offers it on a cpu"),
    "cpu for a plugin that needs a gpu": (BOTH, {"needs_gpu": True}, "cpu", "it needs a GPU"),
}


@pytest.fixture
def offer_of(make):
    return lambda devices, **facts: offers_of({"runner-1": make.a_heartbeat(make.a_plugin(**facts), devices=devices)})[
        "motion"
    ]


@pytest.mark.parametrize(("devices", "facts", "requested", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_what_is_there_is_chosen_without_a_fallback(offer_of, devices, facts, requested, expected):
    chosen = choose_device(offer_of(devices, **facts), requested)

    assert (chosen.kind, chosen.fallback_reason) == (expected, None)


@pytest.mark.parametrize(("devices", "facts", "requested", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_there_is_refused_with_the_reason(offer_of, devices, facts, requested, said):
    with pytest.raises(ForgeSyteError, match=said) as caught:
        choose_device(offer_of(devices, **facts), requested)

    assert caught.value.code is Code.PLUGIN_UNAVAILABLE
    assert caught.value.data["plugin"] == "motion"


async def test_a_plugin_that_could_use_a_gpu_runs_on_the_cpu_where_there_is_none_and_the_job_says_so(api, make):
    await api.beat(make.a_plugin(uses_gpu=True))

    answer = await api.submit()

    job = (await api.http.get(f"/v1/jobs/{answer.json()['job_id']}/extended")).json()
    assert (job["device_requested"], job["device_used"], job["fallback"]) == ("auto", None, True)
    assert job["fallback_reason"] == "no living runner offers it on a gpu"
    assert await api.bus.work.has(job["job_id"], "motion", "cpu")


async def test_auto_goes_to_the_gpu_of_whichever_runner_has_one(api, make):
    await api.beat(make.a_plugin(uses_gpu=True))
    await api.beat(make.a_plugin(uses_gpu=True), runner_id="with-gpu", devices=BOTH)

    answer = await api.submit()

    record = (await api.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.device, record.fallback, record.fallback_reason) == ("gpu", False, None)
    assert await api.bus.work.has(record.job_id, "motion", "gpu")


@pytest.fixture
async def broken_on_the_gpu(api, make):
    """Two runners: on the one with a gpu the plugin is UNAVAILABLE, on the other it works."""
    unavailable = make.a_plugin(uses_gpu=True, state=PluginState.UNAVAILABLE, reason=SMALL)
    await api.beat(unavailable, runner_id="with-gpu", devices=BOTH)
    await api.beat(make.a_plugin(uses_gpu=True))
    return api


async def test_a_gpu_on_which_the_plugin_cannot_run_is_a_fallback_with_the_plugins_own_reason(broken_on_the_gpu):
    answer = await broken_on_the_gpu.submit()

    record = (await broken_on_the_gpu.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.device, record.fallback) == ("cpu", True)
    assert SMALL in record.fallback_reason


async def test_asking_for_such_a_gpu_is_409_with_the_plugins_own_reason(broken_on_the_gpu):
    answer = await broken_on_the_gpu.submit(device="gpu")

    assert (answer.status_code, answer.json()["code"]) == (409, "PLUGIN_UNAVAILABLE")
    assert SMALL in answer.json()["detail"]
    assert "use one of these or auto" in answer.json()["detail"]


async def test_a_gpu_runner_that_is_gone_is_not_waited_for(api, make):
    await api.beat(make.a_plugin(uses_gpu=True), devices=BOTH)
    assert api.state.catalog.get("motion").is_living
    api.state.catalog.living = dict

    answer = await api.submit()

    record = (await api.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.device, record.fallback_reason) == ("cpu", "no living runner offers it on a gpu")


async def test_a_pool_that_only_ever_had_gpus_is_waited_for(api, make):
    await api.beat(make.a_plugin(uses_gpu=True), devices=GPU)
    assert api.state.catalog.get("motion").is_living
    api.state.catalog.living = dict

    answer = await api.submit()

    assert (await api.bus.jobs.get(answer.json()["job_id"])).record.device == "gpu"
