"""Floods, garbage and prying: contained, with a typed outcome."""

from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code

PLUGINS = Path(__file__).parent / "plugins"


@pytest.mark.slow
async def test_a_flood_of_50_mb_on_stdout_and_stderr_costs_a_2_kb_tail(bench):
    told = await bench.fault("flood")

    assert told.outcome.ok, told.outcome
    assert len(told.outcome.log_tail) <= 2048
    assert told.outcome.log_tail.endswith("the last words\n")


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        pytest.param("garbage", "a message of 4294967295 bytes was announced", id="a length over the cap"),
        pytest.param("garbage-kind", "known kind of message", id="an unknown kind"),
        pytest.param("garbage-row", "a row's head is broken", id="a row without a head"),
        pytest.param("loaded-again", "reported a second time that it is loaded", id="a second report of being loaded"),
        pytest.param("half-message", "the pipe ended in a message", id="half a message"),
    ],
)
async def test_garbage_on_the_pipe_is_a_crash_with_the_protocol_error(bench, fault, found):
    told = await bench.fault(fault)

    assert (told.outcome.kind, told.outcome.code) == ("crashed", Code.PLUGIN_CRASH)
    assert found in told.outcome.error


@pytest.mark.slow
async def test_a_sandbox_that_closes_its_pipe_and_lives_on_is_killed(bench, survivors):
    told = await bench.fault("close-everything")

    assert told.outcome.kind == "crashed"
    assert "closed its pipe" in told.outcome.error
    assert survivors(bench.homes) == []


@pytest.mark.slow
async def test_a_sandbox_sees_no_variable_of_the_service(bench, monkeypatch):
    from forgesyte_sandbox.parent.zygote import Zygote

    monkeypatch.setenv("FORGESYTE_RUNNER_BUS_TOKEN", "secret-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-2")
    monkeypatch.setenv("NVIDIA_API_KEY", "secret-3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "none of them")
    async with Zygote.start(env={"PYTHONPATH": str(PLUGINS)}) as zygote:
        bench.zygote, before = zygote, bench.zygote
        told = await bench.fault("environment")
        home = str(zygote.homes.root / "slot-0" / "scratch")
        bench.zygote = before

    seen = told.rows[2]["detections"]["value"]
    assert [name for name in seen["environ"] if name.startswith(("FORGESYTE", "AWS"))] == []
    assert "secret" not in str(seen)
    assert seen["environ"]["CUDA_VISIBLE_DEVICES"] == "none of them"
    assert (seen["cwd"], seen["environ"]["HOME"]) == (home, home)


async def test_a_sandbox_holds_its_pipe_and_its_page_and_no_other_descriptor(bench):
    told = await bench.fault("descriptors")

    kinds = told.rows[2]["detections"]["value"]
    [video] = [kind for kind in kinds if kind.endswith("/inbox/plain.mp4")]
    itself = [f"/proc/{told.pid}"] if bench.zygote.policy.landlock_abi else []
    assert kinds == sorted(["/dev/null", "pipe", "pipe", "socket", "/memfd", video, *itself])
