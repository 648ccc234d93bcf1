"""Runs one fault on the real sandbox, with a healthy job beside it and one after it, and keeps what was seen."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import Distribution
from pathlib import Path

import orjson

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.specs import JobSpec, ManifestSpec
from tests.stability.promises import Promise
from tests.stability.witness import survivors
from tests.support import brightness_of, eventually, meeting_point
from tests.support.left_behind import left_in

PLUGINS = Path(__file__).parent / "plugins"
FRAMES = 60
LIMITS = Limits(
    frame_timeout_s=60, load_timeout_s=60, finalize_timeout_s=60, job_timeout_s=120,
    memory_bytes=256 * MIB, load_memory_bytes=512 * MIB,
)  # fmt: skip


def entry_points() -> dict[str, str]:
    """Every plugin of the test distribution: name and `module:attribute`."""
    info = PLUGINS / "forgesyte_misbehaving-0.1.0.dist-info"
    return {point.name: point.value for point in Distribution.at(info).entry_points}


@dataclass
class Told:
    """How a run ended and what it said before."""

    outcome: SandboxOutcome | None = None
    rows: list[dict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    pid: int = 0
    ended_s: float = 0.0

    def take(self, message: messages.Message) -> None:
        if isinstance(message, messages.Row):
            self.rows.append(orjson.loads(message.data))
        elif isinstance(message, messages.Warning):
            self.warnings.append(message.text)

    @property
    def is_right(self) -> bool:
        """Whether it is a whole healthy job: every frame, with the brightness that was drawn into it."""
        found = [row["detections"]["brightness"] for row in self.rows]
        return (
            self.outcome is not None
            and self.outcome.ok
            and len(found) == FRAMES
            and all(abs(value - brightness_of(index)) <= 4 for index, value in enumerate(found))
        )


class Workbench:
    """A zygote, a clip, and for each run a folder to which what it left in its scratch folder is copied."""

    def __init__(self, zygote: Zygote, mark: str, clip: Path, folder: Path) -> None:
        self.zygote, self.mark, self.clip, self.folder = zygote, mark, clip, folder
        self.points = entry_points()

    def scratch(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    async def run(
        self, plugin: str, *, scratch: Path, program: str = "job", limits: Limits = LIMITS, tool: str = "misbehave",
        told: Told | None = None, image: Path | None = None, **options: object,
    ) -> Told:  # fmt: skip
        """Run a plugin as a runner would, on the clip or on an image."""
        told = told or Told()
        spec = ManifestSpec(self.points[plugin]) if program == "manifest" else JobSpec(
            self.points[plugin], [tool], str(image or self.clip), plugin, "video" if image is None else "image",
            options={tool: options},
        )  # fmt: skip

        def started(pid: int) -> None:
            told.pid = pid

        with left_in(scratch):
            told.outcome = await self.zygote.run(Order(spec, limits=limits, on_message=told.take, on_started=started))
        told.ended_s = time.monotonic()
        return told

    async def healthy(self, name: str) -> Told:
        """Run a healthy job to its end."""
        return await self.run("healthy", scratch=self.scratch(name), tool="measure")

    async def fault(self, promise: Promise, scratch: Path, image: Path | None = None) -> Told:
        """Run the fault of a row under the row's limits."""
        limits = replace(LIMITS, **promise.limits)
        options = {} if image is None else {"at": 0}
        return await self.run(
            promise.plugin, scratch=scratch, program=promise.program, limits=limits, image=image, **options
        )

    async def fault_beside(
        self, promise: Promise, scratch: Path, image: Path | None = None
    ) -> tuple[Told, Told, list[str]]:
        """Run the fault while a healthy job stands in the middle of its clip.

        Returns:
            The fault's run, the neighbour's run, and what was alive when the fault's verdict came.
        """
        gate, reached = meeting_point("gate"), meeting_point("reached")
        neighbour = Told()
        async with asyncio.TaskGroup() as group:
            group.create_task(
                self.run(
                    "healthy", scratch=self.scratch("neighbour"), tool="measure", told=neighbour, at=10, gate=str(gate),
                    reached=str(reached),
                )
            )  # fmt: skip
            await eventually(lambda: reached.exists() or neighbour.outcome, 60, "the neighbour stands in the middle")
            assert neighbour.outcome is None, f"the neighbour ended before the fault: {neighbour.outcome}"
            pid = neighbour.pid
            try:
                told = await self.fault(promise, scratch, image)
                left = self.survivors(scratch, {pid})
            finally:
                gate.touch()
        return told, neighbour, left

    def survivors(self, scratch: Path, expected: set[int]) -> list[str]:
        """What is alive of a run, beside the zygote and what is expected."""
        zygote = [self.zygote.pid] if self.zygote.pid is not None else []
        return survivors(self.mark, ancestors=zygote, expected=expected, noted=scratch / "started-pids")


def seconds_over(promise: Promise, told: Told, scratch: Path) -> float | None:
    """Seconds from the moment the limit was passed (or the fault happened) to the verdict."""
    began = scratch / "began"
    if not began.exists():
        return None
    limit_s = promise.over if told.outcome is not None and told.outcome.kind == "timeout" else 0.0
    return told.ended_s - float(began.read_text()) - limit_s
