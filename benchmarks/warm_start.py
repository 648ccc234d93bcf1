"""How long a job waits for its sandbox: a new one per job (`isolation: job`) compared with a warm one.

    .venv/bin/python -m benchmarks.warm_start [--plugin module:Class] [--tool NAME] [--load-s 0.3] [--jobs 20]

Run it in the repository's root. Without --plugin it measures motion-detector as it is, and the same with a load() that
takes --load-s seconds, as a small model does. Each job is one image through the real sandbox, one after the other; the
zygote is up before. `start` runs from the call to the moment the job may begin (fork, import, validate, load: all of it
in a fresh sandbox, none of it in a warm one), `whole` to the end of the job. The first warm job, which loads, does not
count.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.analyze_latency import cpu_name
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.pool import WarmKey, WarmPool
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec

SIZE_HW = (480, 640)
_SLOW = """
import threading
from {module} import {name}

class Slow({name}):
    def load(self, device):
        super().load(device)
        threading.Event().wait({load_s})
"""

RunJob = Callable[[JobSpec], Awaitable[SandboxOutcome]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each job: until it may begin, and until its end."""

    start_ms: list[float]
    whole_ms: list[float]


def write_image(path: Path) -> None:
    """Write a grey image with a little noise."""
    image = np.random.default_rng(1).integers(90, 110, (*SIZE_HW, 3), dtype=np.uint8)
    cv2.imwrite(str(path), image)


def write_slow_plugin(folder: Path, entry_point: str, load_s: float) -> str:
    """Write a plugin that adds a slow load to another one; return its entry point."""
    module, _, name = entry_point.partition(":")
    (folder / "slow_plugin.py").write_text(_SLOW.format(module=module, name=name, load_s=load_s))
    return "slow_plugin:Slow"


async def measure(run: RunJob, spec: JobSpec, jobs: int) -> Measured:
    """Run `jobs` jobs, one after the other.

    Raises:
        RuntimeError: one of them did not succeed.
    """
    measured = Measured([], [])
    for _ in range(jobs):
        outcome = await run(spec)
        if not outcome.ok or outcome.start_ms is None:
            raise RuntimeError(f"a job ended as {outcome.kind}: {outcome.error}")
        measured.start_ms.append(outcome.start_ms)
        measured.whole_ms.append(outcome.execution_time_ms)
    return measured


async def compare(entry_point: str, tool: str, folder: Path, jobs: int) -> dict[str, Measured]:
    """Measure one plugin in fresh and in warm sandboxes."""
    image = folder / "image.png"
    write_image(image)
    spec = JobSpec(entry_point, [tool], str(image), "bench", "image")
    limits = Limits()
    async with (
        Zygote.start(env={"PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))}) as zygote,
        WarmPool.open(zygote, slots=1) as pool,
    ):

        async def fresh(spec: JobSpec) -> SandboxOutcome:
            return await zygote.run(Order(spec, limits=limits))

        async def warm(spec: JobSpec) -> SandboxOutcome:
            return await pool.run(WarmKey(entry_point, "cpu"), Order(spec, limits=limits))

        await measure(fresh, spec, 1)
        await measure(warm, spec, 1)
        return {"fresh": await measure(fresh, spec, jobs), "warm": await measure(warm, spec, jobs)}


def report(found: dict[str, dict[str, Measured]], jobs: int) -> str:
    """Return figures and machine as text."""
    lines = [f"one image per job, one job at a time; milliseconds, median (slowest) of {jobs}"]
    lines.append(f"{'':<34}{'sandbox':<10}{'start':>20}{'whole':>20}")
    for name, by_kind in found.items():
        for kind, measured in by_kind.items():
            start, whole = _median(measured.start_ms), _median(measured.whole_ms)
            lines.append(f"{name:<34}{kind:<10}{start:>20}{whole:>20}")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    lines.append(f"machine: {cpu_name()}, {cores} cores, load {load:.1f} at the end, {platform.system()}")
    lines.append(f"Python {platform.python_version()}")
    return "\n".join(lines) + "\n"


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({max(values):.1f})"


async def main() -> None:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(description="Start of a job in a fresh and in a warm sandbox.")
    parser.add_argument("--plugin", default="forgesyte_motion_detector:MotionDetector", help="module:Class")
    parser.add_argument("--tool", default="detect-motion", help="a tool of it that needs no options")
    parser.add_argument("--load-s", type=float, default=0.3, help="seconds of the slow load")
    parser.add_argument("--jobs", type=int, default=20, help="jobs that are measured of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as name:
        folder = Path(name)
        slow = write_slow_plugin(folder, options.plugin, options.load_s)
        found = {
            options.plugin.partition(":")[2]: await compare(options.plugin, options.tool, folder, options.jobs),
            f"with {options.load_s:g} s of load": await compare(slow, options.tool, folder, options.jobs),
        }
    sys.stdout.write(report(found, options.jobs))


if __name__ == "__main__":
    asyncio.run(main())
