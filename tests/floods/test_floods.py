"""Floods of every kind against the running product, from another process: the others hardly notice.

During each, /health is asked over fresh connections, a client watches a job that goes on, and a quiet socket pings once
a second. The flooder has the lowest priority, and every figure is printed.

`make floods` takes 20 seconds a kind (FORGESYTE_FLOOD_S) and judges by what is promised. The short form takes two and
asks only whether the service stood still, as it did for 8 to 25 s: two seconds on a machine that has other work say
no more.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.floods.flooder import KINDS, NOTHING
from tests.floods.measuring import Toll, descriptors, measure
from tests.support import Stack, eventually, make_clip, running_stack
from tests.support.keys import digest_of

FLOOD_S = float(os.environ.get("FORGESYTE_FLOOD_S", "2"))
KEY = "a-key-for-floods"
ENTRY = f"me:analyze+read+stream+plugins:{digest_of(KEY)}"
KEYED = {f"FORGESYTE_{service}_API_KEYS": ENTRY for service in ("JOB_API", "GATEWAY", "INSPECTOR")}
FRAME_MS = 100
FRAMES = round(len(KINDS) * (FLOOD_S + 60) * 1000 / FRAME_MS)
IS_SHORT = FLOOD_S < 20
MOST_MS = 2500 if IS_SHORT else 250
MOST_GAP_S = 4.0 if IS_SHORT else 1.0
FEWEST_PONGS = 1 if IS_SHORT else FLOOD_S / 2

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(len(KINDS) * (FLOOD_S + 60) + 300)]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Writes a line for people, whatever pytest captures."""

    def write(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return write


@asynccontextmanager
async def watched_job(folder: Path, env: dict[str, str]) -> AsyncIterator[tuple[Stack, str]]:
    """Run the product with a job that has a new frame ten times a second."""
    async with running_stack(folder / "data", env=env) as stack:
        stack.http.headers["X-API-Key"] = KEY
        clip = make_clip(folder / "clip.mp4", frames=FRAMES, size_wh=(64, 48))
        job_id = await stack.submit(clip, "gate", at=0, pause_ms=FRAME_MS)

        async def runs() -> bool:
            return bool((await stack.job(job_id))["current_frame"])

        await eventually(runs, what="the job runs")
        yield stack, job_id
        await stack.http.post(f"/v1/jobs/{job_id}/cancel")  # or the end would wait for it


def line(kind: str, toll: Toll) -> str:
    """What a flood cost the others, as a row of the table."""
    did = ", ".join(f"{name} {count}" for name, count in sorted(toll.did.items()))
    health = f"{toll.answer_ms(0.5):6.0f} {toll.answer_ms(0.99):6.0f} {max(toll.answers_ms):6.0f}"
    return f"{kind:16} {health} {toll.gap_s:7.2f} {toll.pongs:5} {toll.slowest_pong_ms:8.0f}  {did}"


@pytest.mark.parametrize("env", [pytest.param({}, id="without keys"), pytest.param(KEYED, id="with keys")])
async def test_the_others_hardly_notice_a_flood_of_any_kind(env, tmp_path, say, request):
    say(f"\n{request.node.name}: {FLOOD_S:g} s each; /health in ms, a watcher's longest gap in s")
    say(f"{'':16} {'p50':>6} {'p99':>6} {'max':>6} {'gap s':>7} {'pongs':>5} {'slowest':>8}")
    faults = []
    async with watched_job(tmp_path, env) as (stack, job_id):
        query = f"&api_key={KEY}" if env else ""
        for kind in (NOTHING, *KINDS):
            before = descriptors(stack)
            toll = await measure(stack, job_id, kind, FLOOD_S, query=query)
            say(line(kind, toll))
            await eventually(lambda before=before: descriptors(stack) <= before, what=f"descriptors after {kind}")
            faults += [f"{kind}: {fault}" for fault in toll.failures]
            if toll.answer_ms(0.99) >= MOST_MS:
                faults.append(f"{kind}: p99 of /health is {toll.answer_ms(0.99):.0f} ms")
            if toll.gap_s >= MOST_GAP_S:
                faults.append(f"{kind}: the watcher heard nothing for {toll.gap_s:.1f} s")
            if toll.pongs < FEWEST_PONGS:
                faults.append(f"{kind}: {toll.pongs} pings of the quiet socket were answered")

    assert faults == []
