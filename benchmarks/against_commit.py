"""Whether this checkout needs more CPU time than another commit: both do the same work, in turn.

    .venv/bin/python -m benchmarks.against_commit OTHER [--pairs 7] [--only NAME ...] [--tiny]

Run it in the repository's root, on a machine that does nothing else. OTHER is the root of a checkout of the other
commit in which `make setup` has run. Each pair runs all workloads against both commits (A B B A A B ...), each time
against a fresh `forgesyte up` of that checkout with an empty data folder. Compared are the CPU seconds of the whole
process tree (launcher, nats-server, runner, zygote, sandboxes that live and that were reaped) for each workload,
without the start and without the client. Printed are the median of the pairs' ratios, this commit by the other one,
and the medians of both. The exit code is 1 when a ratio is above the bound.

Rejected: a fresh product for each workload. Its start costs more than most workloads, so seven pairs took an hour.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.server_load import WORKLOADS, Amounts, calling, write_clips
from benchmarks.server_tree import serving

HERE = Path(__file__).resolve().parent.parent
TINY = Amounts(analyses=5, large_frames=20, small_frames=50, short_jobs=4, reads=100, watchers=5, watched_frames=50)
"""Enough to see that everything runs; its ratios say nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a workload used, in seconds."""

    cpu_s: float
    wall_s: float


@dataclass(slots=True)
class Pairs:
    """The runs of one workload; the n-th of both belong together."""

    other: list[Run] = field(default_factory=list)
    this: list[Run] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios of CPU time, this commit by the other one."""
        return statistics.median(b.cpu_s / a.cpu_s for a, b in zip(self.other, self.this, strict=True))

    @property
    def wall_ratio(self) -> float:
        """The same of the time that passed."""
        return statistics.median(b.wall_s / a.wall_s for a, b in zip(self.other, self.this, strict=True))


async def measure(checkout: Path, names: list[str], clips: Path, amounts: Amounts) -> dict[str, Run]:
    """Run workloads, one after the other, against a fresh product of a checkout."""
    found: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as folder:
        async with serving(checkout, Path(folder)) as tree, calling(tree.url, clips, amounts) as caller:
            for name in names:
                before_s, began_s = await tree.cpu_s(), time.monotonic()
                await WORKLOADS[name](caller)
                wall_s = time.monotonic() - began_s
                found[name] = Run(await tree.cpu_s() - before_s, wall_s)
    return found


async def compare(other: Path, names: list[str], pairs: int, amounts: Amounts) -> dict[str, Pairs]:
    """Run all pairs and return the runs of each workload."""
    found = {name: Pairs() for name in names}
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as clips:
        write_clips(Path(clips), amounts)
        for number in range(pairs):
            # The order changes with each pair, so that a machine that slows down slows both alike.
            first, second = (other, HERE) if number % 2 == 0 else (HERE, other)
            runs = {checkout: await measure(checkout, names, Path(clips), amounts) for checkout in (first, second)}
            before, after = runs[other], runs[HERE]
            for name, done in found.items():
                done.other.append(before[name])
                done.this.append(after[name])
                ratio = after[name].cpu_s / before[name].cpu_s
                sys.stderr.write(f"pair {number + 1} of {pairs}, {name}: {ratio:.3f}\n")
    return found


def report(found: dict[str, Pairs], bound: float) -> str:
    """Return the table of ratios as text."""
    lines = [
        f"{'CPU seconds of the tree':<24}{'other':>9}{'this':>9}{'ratio':>9}{'wall':>9}   pairs: {_pairs_of(found)}"
    ]
    for name, pairs in found.items():
        other, this = (statistics.median(run.cpu_s for run in runs) for runs in (pairs.other, pairs.this))
        verdict = "" if pairs.ratio <= bound else f"   above {bound:g}"
        lines.append(f"{name:<24}{other:>9.2f}{this:>9.2f}{pairs.ratio:>9.3f}{pairs.wall_ratio:>9.3f}{verdict}")
    return "\n".join(lines) + "\n"


def _pairs_of(found: dict[str, Pairs]) -> int:
    return max(len(pairs.this) for pairs in found.values())


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("other", type=Path, help="root of the other checkout, with its own .venv")
    parser.add_argument("--pairs", type=int, default=7, help="how often both do each workload")
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), help="these workloads alone")
    parser.add_argument("--bound", type=float, default=1.05, help="the highest ratio that is accepted")
    parser.add_argument("--tiny", action="store_true", help="very little work: shows that everything runs")
    options = parser.parse_args()
    names = options.only or list(WORKLOADS)
    amounts = TINY if options.tiny else Amounts()
    found = asyncio.run(compare(options.other.resolve(), names, options.pairs, amounts))
    sys.stdout.write(report(found, options.bound))
    return int(any(pairs.ratio > options.bound for pairs in found.values()))


if __name__ == "__main__":
    sys.exit(main())
