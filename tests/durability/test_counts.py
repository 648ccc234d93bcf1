"""Jobs that end at a random moment: every count of an ended job is the number of rows that can be read.

The moments are drawn from FORGESYTE_SEED, which is printed. A watcher follows each job over the socket; what it was
told of frames that are done must be in the result, but for one that was on its way. `make counts` draws 20 moments for
each kind of ending.
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.support import IS_SOAK, Stack, make_clip, running_stack

FRAMES = 60
MOMENTS = 20 if IS_SOAK else 4
SEED = os.environ.get("FORGESYTE_SEED") or secrets.token_hex(4)
ENDINGS = {"cancel": "cancelled", "timeout": "failed", "crash": "failed", "oom": "failed"}

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long, pytest.mark.timeout(1200)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    env = {"FORGESYTE_RUNNER_FRAME_TIMEOUT_S": "1"}
    async with running_stack(tmp_path_factory.mktemp("product") / "data", env=env) as stack:
        yield stack


class Told:
    """A watcher of one job, and the last frame count that it was told while the job ran.

    Attributes:
        current_frame: that count; 0 before the first.
        ending: the count in the ending's message.
    """

    def __init__(self, stack: Stack, job_id: str, on_frame: Callable[[int], None]) -> None:
        self.current_frame = 0
        self.ending: int | None = None
        self._url = f"ws://127.0.0.1:{stack.port}/v1/realtime?job_id={job_id}"
        self._on_frame = on_frame

    async def follow(self) -> None:
        """Listen until the ending."""
        async with asyncio.timeout(120), connect(self._url, proxy=None, open_timeout=60) as socket:
            async for text in socket:
                message = json.loads(text)
                if message["type"] != "progress":
                    continue
                payload = message["payload"]
                if payload["status"] != "running":
                    self.ending = payload["current_frame"]
                    return
                # A next attempt counts from 0 again.
                self.current_frame = payload["current_frame"] or 0
                self._on_frame(self.current_frame)


async def end_at_random(stack: Stack, clip: Path, how: str, draw: Random) -> dict[str, Any]:
    """Run a job to its end of this kind; return what was counted where."""
    at, pause_ms = draw.randrange(FRAMES), draw.choice((0, 5, 20, 50))
    may_cancel = asyncio.Event()
    if how == "cancel":
        job_id = await stack.submit(clip, "gate", at=0, gate="", pause_ms=pause_ms or 5)
    else:
        job_id = await stack.submit(clip, "die", at=at, how=how, pause_ms=pause_ms)
    told = Told(stack, job_id, lambda frame: may_cancel.set() if frame >= at else None)
    if at == 0:
        may_cancel.set()

    async def cancel() -> None:
        await may_cancel.wait()
        await stack.http.post(f"/v1/jobs/{job_id}/cancel")

    async with asyncio.TaskGroup() as group:
        cancelling = group.create_task(cancel()) if how == "cancel" else None
        await told.follow()
        if cancelling is not None:
            may_cancel.set()  # it may have ended by itself before it was told of the frame
    job, rows = await stack.ended(job_id), await stack.rows(job_id)
    return {
        "how": how,
        "at": at,
        "pause_ms": pause_ms,
        "status": job["status"],
        "rows": len(rows),
        "frames": [row["frame_index"] for row in rows],
        "counts": {
            "summary": job["summary"]["frame_count"],
            "current_frame": job["current_frame"],
            "attempt": job["attempts"][-1]["frame"] if job["attempts"] else 0,
            "ending": told.ending,
        },
        "told": told.current_frame,
    }


@pytest.mark.parametrize("how", ENDINGS)
async def test_counts_equal_the_readable_rows_whenever_a_job_ends(stack, tmp_path, how):
    clip, draw = make_clip(tmp_path / "clip.mp4", frames=FRAMES), Random(f"{SEED} {how}")
    print(f"\n{MOMENTS} times {how}; FORGESYTE_SEED={SEED} repeats the moments")

    for _ in range(MOMENTS):
        found = await end_at_random(stack, clip, how, draw)
        print({name: value for name, value in found.items() if name != "frames"})
        assert found["status"] in {ENDINGS[how], "completed" if how == "cancel" else ENDINGS[how]}
        assert found["frames"] == list(range(found["rows"]))
        assert set(found["counts"].values()) == {found["rows"]}, found
        assert found["rows"] >= found["told"] - 1, found
