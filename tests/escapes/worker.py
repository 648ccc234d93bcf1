"""Runs the attempts as one user, on one zygote for each configuration, and writes down what came of each.

`python -m tests.escapes.worker FOLDER CLIP CONFIGURATION...` in a process of its own, which plays the runner: its uid
is the services', its environment holds a secret. FOLDER/results.json gets the results. It looks and judges nothing.
"""

import asyncio
import os
import shutil
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import batched, groupby
from pathlib import Path
from typing import Any

import orjson

from forgesyte_escaping.attempting import ATTEMPTS, Attempt
from forgesyte_escaping.limits import GREEDY
from forgesyte_escaping.plugin import AT_FRAME
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sandbox.shared.wall_rules import WallRules
from tests.escapes.stage import TO_ALL, Stage, state

PLUGINS = Path(__file__).parent / "plugins"
LIMITS = Limits(
    frame_timeout_s=60, load_timeout_s=60, finalize_timeout_s=60, job_timeout_s=600, memory_bytes=512 * MIB,
    decode_ahead_frames=1, decode_ahead_large_frames=1,
)  # fmt: skip
NARROW = replace(
    LIMITS, frame_timeout_s=30, memory_bytes=192 * MIB, scratch_bytes=32 * MIB, scratch_files=500, processes=40,
    open_files=200,
)  # fmt: skip
"""For the jobs that take too much."""

GREEDY_AT = {True: "own", False: "7"}
"""In which configuration the greedy jobs run, for root and for others: there the limit on processes is far away, and
the way to it takes seconds.
"""

AT_ONCE = 3
FRAMES = 24
AT_MOST = FRAMES - 4
"""Attempts of one job, one a frame: fewer than its frames, so that the video is open when the last one looks for it."""

GONE = "ZXT?"

NOTHING_SAID = {"succeeded": True, "by": "", "proof": ""}
"""For a job that did not live to report its only attempt: whatever ended it was not refused."""


def batches() -> list[list[Attempt]]:
    """Return the attempts as jobs: those of a group together, some alone; without those that may end the zygote."""
    found = [[each] for each in ATTEMPTS.values() if each.is_alone and not each.is_deadly]
    for _, group in groupby(ATTEMPTS.values(), key=lambda each: each.group):
        found += map(list, batched((each for each in group if not each.is_alone), AT_MOST))
    return found


def rules(configuration: str) -> WallRules:
    """The wall of a configuration: `off`, `own`, or a version of Landlock."""
    if configuration == "off":
        return WallRules.off()
    abi = None if configuration == "own" else int(configuration)
    return WallRules(landlock_abi=abi, is_required=os.geteuid() == 0 or abi != 0)


@dataclass
class Told:
    """How a job ended and what it said."""

    limits: Limits = LIMITS
    outcome: SandboxOutcome | None = None
    rows: list[Any] = field(default_factory=list)

    def take(self, message: messages.Message) -> None:
        if isinstance(message, messages.Row):
            self.rows.append(orjson.loads(message.data)["detections"]["value"])


class Table:
    """One configuration: a stage, a zygote, a job beside all attempts."""

    def __init__(self, zygote: Zygote, stage: Stage, clip: Path) -> None:
        self.zygote, self.stage, self.clip = zygote, stage, clip
        self.results: dict[str, dict[str, Any]] = {}
        self.beside: dict[str, Any] = {}
        self.endings: dict[str, str] = {}

    async def fill(self) -> None:
        """Make every attempt; those that may end the zygote last."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with self._job_beside():
            async with asyncio.TaskGroup() as group:
                for attempts in batches():
                    group.create_task(self._try(attempts, gate))
            # A job that ended before its last attempt, on a busy machine by its limit, has said nothing of the rest.
            for attempt in self.missing():
                await self._try([attempt], gate)
        for attempt in ATTEMPTS.values():
            if attempt.is_deadly:
                await self._try([attempt], gate)

    def missing(self) -> list[Attempt]:
        """The attempts without a result, other than those that may end the zygote."""
        return [each for name, each in ATTEMPTS.items() if name not in self.results and not each.is_deadly]

    async def take_too_much(self) -> dict[str, dict[str, Any]]:
        """Run the greedy jobs; return how each ended and what it said."""
        found = {}
        for name in GREEDY:
            told = await self.run("greed", name, Told(limits=NARROW), what=name)
            assert told.outcome is not None
            said = told.rows[AT_FRAME] if len(told.rows) > AT_FRAME else None
            found[name] = {**told.outcome.as_dict(), "said": said}
        return found

    async def run(self, tool: str, name: str, told: Told, cancel: asyncio.Event | None = None, **options: Any) -> Told:
        """Run a job of the escaping plugin on a clip of its own."""
        video = self.stage.folder / f"{name}.mp4"
        shutil.copy(self.clip, video)
        spec = JobSpec("forgesyte_escaping.plugin:Escaping", [tool], str(video), name, "video", options={tool: options})
        told.outcome = await self.zygote.run(Order(spec, limits=told.limits, on_message=told.take, cancel=cancel))
        return told

    async def _try(self, attempts: list[Attempt], gate: asyncio.Semaphore) -> None:
        async with gate:
            options = self.stage.options(attempts, input_size=self.clip.stat().st_size)
            told = await self.run("escape", attempts[0].name, Told(), **options)
            assert told.outcome is not None
            self.endings[attempts[0].name] = f"{told.outcome.kind} {told.outcome.error or ''}".strip()
            for attempt, said in zip(attempts, told.rows[AT_FRAME:] or [NOTHING_SAID], strict=False):
                self.results[attempt.name] = {
                    "succeeded": (succeeded := await asyncio.to_thread(self.stage.saw, attempt, said)),
                    "by": said["by"] or ("" if succeeded else "no effect"),
                    "is_completed": told.outcome.ok and len(told.rows) == FRAMES,
                    "ended": self.endings[attempts[0].name],
                }

    @asynccontextmanager
    async def _job_beside(self):
        told, cancel = Told(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                self.run(
                    "stand",
                    "beside",
                    told,
                    cancel,
                    secret=self.stage.secret,
                    input_size=self.clip.stat().st_size,
                    to_all=int(TO_ALL),
                )
            )
            while not told.rows:
                assert not task.done(), told.outcome
                await asyncio.sleep(0.01)
            self.stage.sibling = told.rows[0]
            yield
            alive = [state(self.stage.sibling[key]) not in GONE for key in ("pid", "child")]
            heard = ""
            with suppress(FileNotFoundError):  # without the wall an attempt may have ended it; is_alive says so
                heard = Path(self.stage.sibling["scratch"], "heard").read_text()
            cancel.set()
        assert told.outcome is not None
        self.beside = {"is_alive": all(alive), "heard": heard, "ended": told.outcome.kind}


async def configure(configuration: str, folder: Path, prepared: Path, clip: Path) -> dict[str, Any]:
    """Run the table in one configuration."""
    folder.mkdir()
    env = {"PYTHONPATH": str(PLUGINS)}
    with Stage(folder, prepared) as stage:
        async with Zygote.start(env=env, wall=rules(configuration), homes=folder / "homes") as zygote:
            assert zygote.pid is not None
            stage.zygote = zygote.pid
            table = Table(zygote, stage, clip)
            await table.fill()
            left = sorted(ATTEMPTS.keys() - table.results.keys())
            assert configuration != "off" or not left, f"controls were not made: {left}; {table.endings}"
            return {
                "rows": {name: table.results[name] for name in ATTEMPTS if name in table.results},
                "beside": table.beside,
                "limits": await table.take_too_much() if configuration == GREEDY_AT[os.geteuid() == 0] else {},
                "policy": zygote.policy.model_dump(mode="json"),
                "is_zygote_the_same": state(stage.zygote) not in GONE,
            }  # fmt: skip


async def main(folder: Path, clip: Path, configurations: list[str]) -> None:
    """Run all configurations, one after the other."""
    found = {}
    for configuration in configurations:
        found[configuration] = await configure(configuration, folder / configuration, folder, clip)
    (folder / "results.json").write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
