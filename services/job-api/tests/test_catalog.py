"""What the runners' heartbeats say of plugins and devices."""

import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import Catalog, offers_of
from tests.support import eventually


def catalog_of(*heartbeats):
    return Catalog(lambda: {beat.runner_id: beat for beat in heartbeats})


@pytest.mark.parametrize(
    ("states", "best"),
    [
        ((PluginState.FAILED, PluginState.INITIALIZED), PluginState.INITIALIZED),
        ((PluginState.RUNNING, PluginState.UNAVAILABLE), PluginState.RUNNING),
        ((PluginState.UNAVAILABLE, PluginState.FAILED), PluginState.FAILED),
        ((PluginState.LOADED, PluginState.LOADED), PluginState.LOADED),
    ],
    ids=lambda value: str(value),
)
def test_the_state_is_the_best_among_the_living(make, states, best):
    beats = {f"r{n}": make.a_heartbeat(make.a_plugin(state=state), runner_id=f"r{n}") for n, state in enumerate(states)}

    assert offers_of(beats)["motion"].state is best


def test_only_runners_that_can_run_it_lend_their_devices(make):
    broken = make.a_heartbeat(make.a_plugin(state=PluginState.FAILED), runner_id="a", devices=("cpu", "gpu"))
    working = make.a_heartbeat(make.a_plugin(), runner_id="b", devices=("cpu",))

    assert offers_of({"a": broken, "b": working})["motion"].devices == {"cpu"}


def test_a_plugin_whose_runners_are_gone_is_remembered(make):
    living = {"a": make.a_heartbeat()}
    catalog = Catalog(lambda: living)
    catalog.observe()

    living.clear()

    assert catalog.require("motion").manifest.name == "motion"
    assert catalog.usable_count() == 0


def test_before_any_runner_reported_the_refusal_says_so():
    with pytest.raises(ForgeSyteError, match="no runner has reported yet") as caught:
        catalog_of().require("motion")

    assert caught.value.code is Code.PLUGIN_UNKNOWN


@pytest.mark.slow
async def test_a_plugin_that_shows_up_gets_its_consumer(api, monkeypatch):
    made = []
    ensure_consumer = api.bus.work.ensure_consumer

    async def noted(plugin, device):
        made.append((plugin, device))
        await ensure_consumer(plugin, device)

    monkeypatch.setattr(api.bus.work, "ensure_consumer", noted)

    await api.beat(devices=("cpu", "gpu"))

    await eventually(lambda: ("motion", "gpu") in made)
