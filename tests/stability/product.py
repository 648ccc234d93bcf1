"""The product with all faults installed, in one of the two isolations, and what is seen of it from outside."""

import os
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import psutil

from tests.stability.promises import POISON
from tests.stability.witness import carriers, describe, is_alive, sleepers
from tests.stability.workbench import FRAMES, PLUGINS, entry_points
from tests.support import Stack, brightness_of, eventually, meeting_point, running_stack

Isolation = Literal["job", "plugin"]
Media = Literal["video", "image"]

SLOTS = 2
FRAME_LIMIT_S = 1.0
END_LIMIT_S = 45
NEVER = 10**6
"""A frame that no clip has: a fault set to happen there never happens."""

SETTINGS = {
    "RUNNER_FRAME_TIMEOUT_S": FRAME_LIMIT_S, "RUNNER_FINALIZE_TIMEOUT_S": FRAME_LIMIT_S, "RUNNER_LOAD_TIMEOUT_S": 3,
    "RUNNER_JOB_TIMEOUT_S": 900, "RUNNER_MEMORY_BYTES": 256 << 20, "RUNNER_LOAD_MEMORY_BYTES": 512 << 20,
    "JOB_API_BROKEN_PLUGIN_S": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """What jobs are given: a clip and a picture."""

    video: Path
    image: Path


class Product:
    """A running stack, the random word all its processes carry, and the neighbour's gate."""

    def __init__(self, stack: Stack, isolation: Isolation, mark: str, inputs: Inputs, folder: Path) -> None:
        self.stack, self.isolation, self.mark, self.inputs, self.folder = stack, isolation, mark, inputs, folder
        self.pids = self.services()
        self.gates: dict[str, Path] = {}

    def services(self) -> dict[str, int]:
        """The pids that must not change; job-api and inspector live in the launcher."""
        return {
            "launcher": self.stack.tree()[0].pid, "runner": self.stack.runner().pid, "nats": self.stack.nats().pid,
            "zygote": self.zygote().pid,
        }  # fmt: skip

    def zygote(self) -> psutil.Process:
        """The parent of all sandboxes."""
        (zygote,) = [p for p in self.stack.runner().children() if "zygote" in " ".join(p.cmdline())]
        return zygote

    async def stand(self, name: str) -> str:
        """Start a healthy job that stands in the middle of its clip until let_go()."""
        reached, gate = meeting_point("reached"), meeting_point("gate")
        self.gates[name] = gate
        job_id = await self.stack.submit(
            self.inputs.video, "measure", "healthy", at=10, gate=str(gate), reached=str(reached)
        )
        await eventually(reached.exists, 60, "the neighbour stands in the middle")
        return job_id

    def let_go(self, name: str) -> None:
        """Open the neighbour's gate."""
        self.gates[name].touch()

    async def is_healthy_right(self) -> bool:
        """Run a healthy job and look at it."""
        return await self.is_right(await self.stack.submit(self.inputs.video, "measure", "healthy"))

    async def is_right(self, job_id: str) -> bool:
        """Whether the job ended in its first attempt with the brightness that was drawn into every frame."""
        job = await self.stack.ended(job_id)
        found = [row["detections"]["brightness"] for row in await self.stack.rows(job_id)]
        return (
            (job["status"], [attempt["outcome"] for attempt in job["attempts"]]) == ("completed", ["succeeded"])
            and len(found) == FRAMES
            and all(abs(value - brightness_of(index)) <= 4 for index, value in enumerate(found))
        )

    def strays(self, *, may_rest: bool) -> list[str]:
        """Processes that should not be there while the neighbour stands.

        Args:
            may_rest: whether the sandbox of the last job may wait for another one; never in isolation `job`.
        """
        zygote, ours = self.zygote(), {process.pid for process in self.stack.tree()}
        escaped = {pid for pid in (carriers(self.mark) | sleepers(self.mark)) - ours if is_alive(pid)}
        sandboxes = [child.pid for child in zygote.children() if is_alive(child.pid)]
        below = {child.pid for child in zygote.children(recursive=True) if is_alive(child.pid)} - {*sandboxes}
        expected = 2 if may_rest and self.isolation == "plugin" else 1
        return [describe(pid) for pid in [*sorted(escaped | below), *sandboxes[expected:]]]

    async def submit(self, plugin: str, media: Media = "video", at: int | None = None) -> httpx.Response:
        """Submit a job for a fault; at which frame it happens if not at its own."""
        file = self.inputs.video if media == "video" else self.inputs.image
        query = {"plugin_id": plugin, "tool": "misbehave", "filename": file.name}
        if at is not None:
            query["options"] = f'{{"at": {at}}}'
        kind = "video/mp4" if media == "video" else "image/png"
        return await self.stack.http.post(
            f"/v1/{media}/submit", params=query, content=file.read_bytes(), headers={"Content-Type": kind}
        )

    async def known(self, plugin: str, media: Media = "video", at: int | None = None) -> httpx.Response:
        """Submit until the runner has reported the plugin; return the answer."""

        async def ask() -> httpx.Response | None:
            answer = await self.submit(plugin, media, at)
            return answer if answer.status_code != 400 else None

        return await eventually(ask, 120, f"{plugin} is known")

    async def ended(self, job_id: str) -> dict:
        """Wait until the job has ended; one that does not end is cancelled, so that the next fault has its slot."""
        try:
            return await self.stack.ended(job_id, END_LIMIT_S)
        except AssertionError:
            await self.stack.http.post(f"/v1/jobs/{job_id}/cancel")
            return await self.stack.ended(job_id, END_LIMIT_S)


@asynccontextmanager
async def running_product(
    folder: Path, inputs: Inputs, isolation: Isolation, plugins: Iterable[str], *, poison: str = ""
) -> AsyncIterator[Product]:
    """Run the product with these plugins of the test distribution; nothing of it stays.

    Poison is left out of them but for the one that is named.
    """
    mark = secrets.token_hex(12)
    installed = PLUGINS if isolation == "job" else install_warm(folder / "warm")
    env = {f"FORGESYTE_{name}": str(value) for name, value in SETTINGS.items()}
    env |= {"PYTHONPATH": os.pathsep.join((str(installed), f"/nonexistent/{mark}"))}
    env |= {"FORGESYTE_RUNNER_PLUGINS": ",".join(sorted({*plugins, "healthy"} - {*POISON} | {poison} - {""}))}
    async with running_stack(folder / "data", slots=SLOTS, env=env) as stack:
        yield Product(stack, isolation, mark, inputs, folder)
    left = [describe(pid) for pid in carriers(mark) if is_alive(pid)]
    assert left == [], "nothing of the product is alive when it has ended"


def install_warm(folder: Path) -> Path:
    """Install the test distribution once more, every plugin of it with `isolation: plugin`."""
    info = folder / "forgesyte_misbehaving-0.1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "forgesyte_misbehaving").symlink_to(PLUGINS / "forgesyte_misbehaving")
    (info / "METADATA").write_text((PLUGINS / info.name / "METADATA").read_text())
    lines = []
    for name, value in entry_points().items():
        module, _, attribute = value.partition(":")
        lines.append(f"{name} = forgesyte_misbehaving.warm:{module.rpartition('.')[2]}.{attribute}\n")
    (info / "entry_points.txt").write_text("[forgesyte.plugins]\n" + "".join(lines))
    return folder
