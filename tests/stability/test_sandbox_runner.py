"""Sandbox runner: what a caller of the sandbox gets back, whatever the plugin does."""

import asyncio
import builtins
import json
from dataclasses import replace

import pytest

from forgesyte_sandbox.shared.limits import MIB
from tests.stability.workbench import FRAMES, LIMITS

OPTIONS = {
    "text": "naïve “quotes” \n\t\x00 𝄞", "number": 0.1, "whole": -(2**63), "yes": True, "nothing": None,
    "items": [1, "two", 3], "inside": {"": [], "a.b c": [1e-300, 1.7976931348623157e308]},
}  # fmt: skip
NEVER_WHOLE = {"_IncompleteInputError"}
WANT_OF_MEMORY = {"MemoryError"}


def builtin_exceptions() -> list[str]:
    return sorted(
        name
        for name, kind in vars(builtins).items()
        if isinstance(kind, type) and issubclass(kind, BaseException) and name not in NEVER_WHOLE
    )


async def test_success_gives_ok_and_the_result(workbench):
    told = await workbench.healthy("success")

    outcome = told.outcome
    assert (outcome.ok, outcome.kind, outcome.error, outcome.error_type) == (True, "succeeded", None, None)
    assert (outcome.result["total_frames"], outcome.result["rows"]) == (FRAMES, FRAMES)
    assert told.is_right
    assert outcome.execution_time_ms > 0


async def test_failure_gives_ok_false_with_the_exact_text_and_type(workbench):
    outcome = (await workbench.run("raises", scratch=workbench.scratch("failure"))).outcome

    assert (outcome.ok, outcome.kind) == (False, "failed")
    assert (outcome.error_type, outcome.error) == ("ValueError", "bad frame: naïve text, 50 % of it")


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["exits-3", "segfaults", "raises-keyboard-interrupt", "writes-garbage", "loops"])
async def test_it_never_raises_to_its_caller(workbench, plugin):
    limits = replace(LIMITS, frame_timeout_s=0.5)

    outcome = (await workbench.run(plugin, scratch=workbench.scratch("never"), limits=limits)).outcome

    assert not outcome.ok
    assert outcome.error


@pytest.mark.parametrize("memory_bytes", [1 << 62, (1 << 63) - 1, (1 << 63) + 1, (1 << 64) - 1])
async def test_it_never_raises_whatever_memory_a_manifest_asks_for(workbench, memory_bytes):
    limits = replace(LIMITS, memory_bytes=memory_bytes)

    told = await workbench.run("healthy", scratch=workbench.scratch("absurd"), tool="measure", limits=limits)

    assert told.outcome.kind in ("succeeded", "failed")


async def test_arguments_arrive_unchanged(workbench):
    told = await workbench.run("echoes", scratch=workbench.scratch("echo"), tool="echo", **OPTIONS)

    seen = told.rows[0]["detections"]
    assert seen["options"] == OPTIONS
    assert (seen["job_id"], seen["device"]) == ("echoes", "cpu")


@pytest.mark.parametrize("plugin", ["healthy", "raises", "segfaults"])
async def test_the_outcome_has_a_plain_dict_form(workbench, plugin):
    tool = "measure" if plugin == "healthy" else "misbehave"

    plain = (await workbench.run(plugin, scratch=workbench.scratch("plain"), tool=tool)).outcome.as_dict()

    assert json.loads(json.dumps(plain)) == plain
    assert {"ok", "result", "error", "error_type", "execution_time_ms"} <= plain.keys()


@pytest.mark.slow
async def test_every_exception_type_is_caught_system_exit_too(workbench):
    """All that Python itself has, BaseExceptions included."""
    found, turn = {}, asyncio.Semaphore(4)
    limits = replace(LIMITS, memory_bytes=128 * MIB)

    async def raise_it(name: str) -> None:
        async with turn:
            told = await workbench.run(
                "raises-by-name", scratch=workbench.scratch(name), tool="raise", limits=limits, name=name
            )
            found[name] = (told.outcome.kind, told.outcome.error_type, "on purpose" in (told.outcome.error or ""))

    async with asyncio.TaskGroup() as group:
        for name in builtin_exceptions():
            group.create_task(raise_it(name))

    canonical = {name: getattr(builtins, name).__name__ for name in found}
    assert len(found) > 60
    assert found == {
        name: ("oom", "oom", True) if name in WANT_OF_MEMORY else ("failed", canonical[name], True) for name in found
    }
