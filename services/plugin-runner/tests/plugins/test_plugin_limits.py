"""What a plugin may ask for: always less than the operator grants, and more up to a ceiling."""

import psutil
import pytest

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_plugin_runner.plugins.plugin_limits import excess, job_limits
from forgesyte_plugin_runner.settings import RunnerSettings

MIB = 1 << 20
SETTINGS = RunnerSettings(
    frame_timeout_s=60, memory_bytes=1024 * MIB, max_frame_timeout_s=600, max_memory_bytes=4096 * MIB
)


def asking(**limits: object) -> PluginManifest:
    facts = {"name": "seeker", "version": "1.0.0", "tools": [{"name": "seek"}], "limits": limits}
    return PluginManifest.model_validate(facts)


@pytest.mark.parametrize(
    ("limits", "frame_timeout_s", "memory_mib"),
    [
        pytest.param({}, 60, 1024, id="asks for nothing"),
        pytest.param({"frame_timeout_s": 0.5, "memory_bytes": MIB}, 0.5, 1, id="less"),
        pytest.param({"frame_timeout_s": 600, "memory_bytes": 4096 * MIB}, 600, 4096, id="more, up to the ceiling"),
    ],
)
def test_a_plugin_gets_what_it_asks_for_up_to_the_ceiling(limits, frame_timeout_s, memory_mib):
    manifest = asking(**limits)

    assert excess(SETTINGS, manifest) is None
    given = job_limits(SETTINGS, manifest)
    assert (given.frame_timeout_s, given.memory_bytes) == (frame_timeout_s, memory_mib * MIB)
    assert given.load_memory_bytes == SETTINGS.load_memory_bytes


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(
            {"frame_timeout_s": 601},
            "it asks for 601 s per frame and at most 600 s are allowed here; "
            "lower limits.frame_timeout_s or raise FORGESYTE_RUNNER_MAX_FRAME_TIMEOUT_S",
            id="seconds",
        ),
        pytest.param(
            {"memory_bytes": 4096 * MIB + 1},
            "it asks for 4097 MiB per job and at most 4096 MiB are allowed here; "
            "lower limits.memory_bytes or raise FORGESYTE_RUNNER_MAX_MEMORY_BYTES",
            id="bytes",
        ),
    ],
)
def test_a_plugin_that_asks_for_more_is_told_both_figures_and_the_remedy(limits, words):
    assert excess(SETTINGS, asking(**limits)) == words


def test_every_excess_is_named_at_once():
    reason = excess(SETTINGS, asking(frame_timeout_s=86_400, memory_bytes=1 << 40))

    assert "86400 s" in reason
    assert "1048576 MiB" in reason


def test_what_every_job_gets_is_never_too_much():
    generous = RunnerSettings(frame_timeout_s=900, memory_bytes=64, max_frame_timeout_s=600, max_memory_bytes=32)

    assert excess(generous, asking()) is None
    assert excess(generous, asking(frame_timeout_s=900, memory_bytes=64)) is None


def test_the_ceilings_are_ten_minutes_and_at_most_half_of_the_memory_unless_the_operator_says_otherwise():
    made = RunnerSettings()

    assert made.max_frame_timeout_s == 600
    assert 0 < made.max_memory_bytes <= psutil.virtual_memory().total // 2
