from pathlib import Path

import pytest
from pydantic import SecretStr

from forgesyte_launcher.stack.data_folder import DataFolder
from forgesyte_launcher.stack.nats import BusAddress
from forgesyte_launcher.stack.runner_process import RUNNER_MARGIN_S, RunnerWall, runner_process
from forgesyte_plugin_runner.settings import RunnerSettings

FOLDER = DataFolder(Path("/data"), lock_fd=-1)
ADDRESS = BusAddress("nats://127.0.0.1:1", "token")


def read_by_the_runner(monkeypatch: pytest.MonkeyPatch, env) -> RunnerSettings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return RunnerSettings()


def test_the_runner_reads_every_setting_that_it_is_given(monkeypatch):
    spec = runner_process(FOLDER, ADDRESS, drain_s=7.5, slots=3)

    settings = read_by_the_runner(monkeypatch, spec.env)

    assert (settings.bus_url, settings.bus_token) == (ADDRESS.url, SecretStr("token"))
    assert (settings.store_url, settings.scratch_dir) == ("/data/store", "/data/scratch")
    assert (settings.drain_s, settings.slots, settings.log_format) == (7.5, 3, "console")
    assert settings.private_dirs == "/data"
    assert len(spec.env) == 9
    assert spec.grace_s == 7.5 + RUNNER_MARGIN_S


def test_what_the_command_line_says_about_the_wall_reaches_the_runner(monkeypatch):
    wall = RunnerWall(("seeker", "finder"), allows_degraded=True)

    settings = read_by_the_runner(monkeypatch, runner_process(FOLDER, ADDRESS, drain_s=1, wall=wall).env)

    assert settings.permitted_plugins == ("seeker", "finder")
    assert not settings.own_wall().is_required
    assert settings.own_wall().private == ("/data", "/data/scratch", "/data/store")


def test_what_the_command_line_does_not_say_is_left_to_the_runners_environment(monkeypatch):
    monkeypatch.setenv("FORGESYTE_RUNNER_PERMITTED_PLUGINS", "seeker")
    monkeypatch.setenv("FORGESYTE_RUNNER_ALLOW_DEGRADED_SANDBOX", "true")

    settings = read_by_the_runner(monkeypatch, runner_process(FOLDER, ADDRESS, drain_s=1).env)

    assert (settings.permitted_plugins, settings.allow_degraded_sandbox) == (("seeker",), True)


def test_slots_and_log_format_are_left_to_the_operator(monkeypatch):
    monkeypatch.setenv("FORGESYTE_RUNNER_SLOTS", "5")
    monkeypatch.setenv("FORGESYTE_RUNNER_LOG_FORMAT", "json")

    settings = read_by_the_runner(monkeypatch, runner_process(FOLDER, ADDRESS, drain_s=1).env)

    assert (settings.slots, settings.log_format) == (5, "json")
