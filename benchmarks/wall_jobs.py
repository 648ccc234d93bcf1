"""One side of the comparison in benchmarks.wall: runs jobs in one zygote, and says what each cost.

`python -P wall_jobs.py HEIGHT VIDEO IMAGE` with the Python of either checkout, which may be one from before the wall;
so it imports nothing of benchmarks/. HEIGHT is `as-is`, what this checkout builds by itself, or `off`. Each line of
standard input orders a job, `video`, or `image` for one of one picture, and is answered with one line of JSON.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import Message, Row
from forgesyte_sandbox.shared.specs import JobSpec

PLUGIN = "forgesyte_motion_detector:MotionDetector"
TOOLS = ("detect-motion", "track-objects")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_TIMES = slice(11, 15)
"""Where /proc/PID/stat holds the times of a process and of its reaped children, counted behind the name."""


class Job:
    """One job of motion-detector, measured."""

    def __init__(self, zygote: Zygote, spec: JobSpec) -> None:
        self._zygote = zygote
        self._spec = spec
        self._began_s = 0.0
        self._first_row_s = 0.0

    async def run(self) -> dict[str, float]:
        """Run it; return milliseconds to the loaded plugin, to the first row and to the end, of CPU, and the rows.

        The CPU time is that of this process, of the zygote and of what it reaped.

        Raises:
            RuntimeError: it did not succeed.
        """
        rows = 0

        def take(message: Message) -> None:
            nonlocal rows
            if isinstance(message, Row):
                rows += 1
                self._first_row_s = self._first_row_s or time.perf_counter()

        with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as folder:
            # Before the wall a caller named the folder in which a job runs.
            needs_folder = any(each.name == "scratch" for each in fields(Order))
            more: dict[str, Any] = {"scratch": Path(folder)} if needs_folder else {}
            cpu_s = _cpu_s(self._zygote)
            self._began_s = time.perf_counter()
            outcome = await self._zygote.run(Order(self._spec, limits=Limits(), on_message=take, **more))
            whole_s = time.perf_counter() - self._began_s
        if not outcome.ok or outcome.start_ms is None:
            raise RuntimeError(f"a job ended as {outcome.kind}: {outcome.error}")
        first_row_ms = (self._first_row_s - self._began_s) * 1000
        return {
            "start_ms": outcome.start_ms,
            "first_row_ms": first_row_ms,
            "whole_ms": whole_s * 1000,
            "cpu_ms": (_cpu_s(self._zygote) - cpu_s) * 1000,
            "rows": rows,
        }


def _cpu_s(zygote: Zygote) -> float:
    stat = Path(f"/proc/{zygote.pid}/stat").read_text().rpartition(")")[2].split()
    own = os.times()
    return own.user + own.system + sum(map(int, stat[_TIMES])) / _TICKS_PER_S


async def main(height: str, video: str, image: str) -> None:
    """Answer until standard input ends."""
    more: dict[str, Any] = {}
    if height == "off":
        from forgesyte_sandbox.shared.wall_rules import WallRules

        more["wall"] = WallRules.off()
    videos = JobSpec(PLUGIN, TOOLS, video, "bench", "video")
    images = JobSpec(PLUGIN, TOOLS[:1], image, "bench", "image")
    async with Zygote.start(**more) as zygote:
        for line in iter(sys.stdin.readline, ""):
            match line.split():
                case ["video"]:
                    told = await Job(zygote, videos).run()
                case ["image"]:
                    told = await Job(zygote, images).run()
                case _:
                    raise ValueError(f"expected `video` or `image`, found {line!r}")
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
