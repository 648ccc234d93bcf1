"""What runners and the inspector say of plugins: fields letter for letter, and numbers that can be shown."""

import json

import pytest
from pydantic import ValidationError

from forgesyte_contracts.plugins import PluginHealth, PluginHealthResponse, PluginOnRunner
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_contracts.routes import ROUTES, scope_of
from forgesyte_contracts.runners import Device, RunnerHeartbeat

FIELDS = (
    "name version description state reason uptime_seconds last_used success_count error_count "
    "last_execution_time_ms avg_execution_time_ms permissions policy runners"
)


def test_health_has_exactly_the_contracts_fields():
    assert " ".join(PluginHealth(name="p", state="LOADED").model_dump()) == FIELDS
    assert PluginHealthResponse is PluginHealth


def test_heartbeat_of_an_older_runner_is_read():
    beat = {"runner_id": "r", "host": "h", "pid": 1, "version": "0", "started_at": "x", "slots": 1}
    plugin = {"name": "p", "state": "LOADED"}

    read = RunnerHeartbeat.model_validate({**beat, "plugins": [plugin], "devices": [{"name": "cpu", "kind": "cpu"}]})

    assert read.plugins[0].uptime_seconds is None
    assert read.plugins[0].state_since is None
    assert read.devices[0].utilisation_ratio is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moment_that_has_no_utc_form_is_refused_on_the_way_in(moment):
    with pytest.raises(ValidationError):
        PluginOnRunner(name="p", state="RUNNING", last_used=moment)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [("2025-01-01T00:00:00", "2025-01-01T00:00:00.000Z"), ("2025-01-01T02:00:00+02:00", "2025-01-01T00:00:00.000Z")],
)
def test_moment_is_brought_to_utc(moment, shown):
    assert (
        json.loads(PluginOnRunner(name="p", state="RUNNING", last_used=moment).model_dump_json())["last_used"] == shown
    )


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1])
@pytest.mark.parametrize("field", ["uptime_seconds", "last_execution_time_ms", "avg_execution_time_ms"])
def test_amount_that_is_no_amount_is_refused(field, amount):
    with pytest.raises(ValidationError):
        PluginOnRunner(**{"name": "p", "state": "RUNNING", field: amount})


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_utilisation_is_a_ratio(ratio):
    with pytest.raises(ValidationError):
        Device(name="cpu", kind="cpu", utilisation_ratio=ratio)


def test_every_route_stands_once_in_the_one_table_with_its_scope():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert scope_of("GET", "/v1/plugins") == scope_of("GET", "/v1/plugins/") == "plugins"
    assert scope_of("POST", "/v1/plugins/{name}/reload") == "admin"
    assert scope_of("GET", "/v1/runners") == "read"
    assert scope_of("GET", "/v1/jobs") == "read"
    with pytest.raises(ForgeSyteError):
        scope_of("DELETE", "/v1/plugins/{name}")
