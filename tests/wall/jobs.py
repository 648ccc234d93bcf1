"""The jobs of these tests: ordinary plugins, each with the tools that its job uses, and how high the wall is."""

import os
from dataclasses import dataclass, field
from importlib.metadata import Distribution
from pathlib import Path

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sandbox.shared.wall_rules import Grants, WallRules

PLUGINS = Path(__file__).parent / "plugins"
MODEL = "nanodet-g-coco.onnx"
LIMITS = Limits(frame_timeout_s=60, job_timeout_s=200)


def _entry_points() -> dict[str, str]:
    own = Distribution.at(PLUGINS / "forgesyte_ordinary-0.1.0.dist-info")
    installed = Distribution.from_name("forgesyte-motion-detector")
    return {point.name: point.value for each in (installed, own) for point in each.entry_points}


ENTRY_POINTS = _entry_points()
TOOLS = {
    "motion-detector": ("detect-motion", "track-objects"),
    "helpers": (
        "process", "pipe", "pool", "executor", "lock", "event", "shared-memory", "program", "numpy-program",
        "spawned", "signals",
    ),
    "libraries": ("threads", "numpy", "files", "database", "opencv", "pyav", "machine"),
    "nanodet": ("detect",),
    "torch-net": ("ask",),
}  # fmt: skip
"""The plugins whose rows are compared."""


def rules(configuration: str) -> WallRules:
    """Return the wall of a configuration: `off`, `own`, or a version of Landlock."""
    if configuration == "off":
        return WallRules.off()
    abi = None if configuration == "own" else int(configuration)
    # Without Landlock an ordinary user has less than what is required.
    return WallRules(landlock_abi=abi, is_required=os.geteuid() == 0 or abi != 0)


@dataclass
class Told:
    """How a job ended and the rows it sent, byte for byte."""

    outcome: SandboxOutcome | None = None
    rows: list[str] = field(default_factory=list)

    def take(self, message: messages.Message) -> None:
        if isinstance(message, messages.Row):
            self.rows.append(message.data.decode())


async def run_job(
    zygote: Zygote, plugin: str, clip: Path, *, tools: tuple[str, ...] = (), model: Path | None = None
) -> Told:
    """Run one job as a runner does; without `tools`, with those that are compared. `model` is the detector's."""
    told = Told()
    tools = tools or TOOLS[plugin]
    reads = (str(model),) if model is not None else ()
    options = {tool: {"model": path} for tool in tools for path in reads}
    spec = JobSpec(ENTRY_POINTS[plugin], tools, str(clip), plugin, "video", options=options)
    told.outcome = await zygote.run(Order(spec, LIMITS, grants=Grants(reads), on_message=told.take))
    return told
