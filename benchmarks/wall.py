"""What the wall around plugin code costs: jobs of motion-detector with it and without it, in turn.

    .venv/bin/python -m benchmarks.wall [OTHER] [--video PATH] [--pairs 10] [--images 20]

Run it in the repository's root, on a machine that does nothing else. OTHER is the root of a checkout from before the
wall, in which `make setup` has run; without it, this checkout is compared with itself, the wall switched off. Both
sides keep a zygote, as a runner does, and take turns, job by job (A B B A A B ...). After each pair of jobs over the
whole video, whose CPU time is compared (the caller's, the zygote's and the sandbox's), come pairs of jobs of one
picture, whose milliseconds are: `start` to the loaded plugin, `first row` to the first result, `whole` to the end, when
everything is cleared away. Printed are the medians of both sides, and the median of the pairs' ratios or differences.
The exit code is 1 when one passes its bound.

Rejected: the whole product, as benchmarks.against_commit has it. Its noise is larger than what the wall costs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import cv2

from benchmarks.analyze_latency import cpu_name
from benchmarks.clips import write_clip

HERE = Path(__file__).resolve().parent.parent
CARS = HERE.parent / "shared" / "video" / "car-detection.mp4"
MOST_RATIO = 1.03
MOST_MORE_MS = 4.0
WORDS = {"start_ms": "picture, start, ms", "first_row_ms": "picture, first row, ms", "whole_ms": "picture, whole, ms"}

Pair = tuple[dict[str, float], dict[str, float]]
"""What both sides said: without the wall, and with it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: where its code is, and how high its wall."""

    checkout: Path
    height: str

    @contextmanager
    def opened(self, video: Path, image: Path) -> Iterator[Callable[[str], dict[str, float]]]:
        """Start it; yield what orders something and waits for the answer."""
        command = [str(self.checkout / ".venv" / "bin" / "python"), "-P", str(HERE / "benchmarks" / "wall_jobs.py")]
        with subprocess.Popen(
            [*command, self.height, str(video), str(image)],
            cwd=self.checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as process:

            def ask(what: str) -> dict[str, float]:
                assert process.stdin is not None  # noqa: S101 - a pipe was asked for
                assert process.stdout is not None  # noqa: S101 - a pipe was asked for
                process.stdin.write(f"{what}\n")
                if not (line := process.stdout.readline()):
                    raise RuntimeError(f"{self} ended; its message stands above")
                told: dict[str, float] = json.loads(line)
                return told

            yield ask


def compare(without: Side, walled: Side, video: Path, image: Path, *, pairs: int, images: int) -> dict[str, list[Pair]]:
    """Run all pairs; the first round of each side does not count."""
    found: dict[str, list[Pair]] = {"video": [], "image": []}
    with without.opened(video, image) as first, walled.opened(video, image) as second:
        for ask in (first, second):
            ask("image")
        for number in range(pairs):
            for what in ("video", *["image"] * images):
                # The order changes with each pair, so that a machine that slows down slows both alike.
                if len(found[what]) % 2 == 0:
                    found[what].append((first(what), second(what)))
                else:
                    found[what].append((second(what), first(what))[::-1])
            sys.stderr.write(f"pair {number + 1} of {pairs}: {found['video'][-1]}\n")
    return found


def report(found: dict[str, list[Pair]], sides: tuple[str, str]) -> tuple[str, bool]:
    """Return the figures as text, and whether they are within the bounds."""
    videos, images = found.values()
    counts = f"{len(videos)} and {len(images)} pairs"
    lines = [f"{counts:<28}{sides[0]:>14}{sides[1]:>14}"]
    ratio = statistics.median(after["cpu_ms"] / before["cpu_ms"] for before, after in videos)
    what, figures = f"{videos[0][0]['rows']:.0f} frames, CPU ms", _medians(videos, "cpu_ms", 0)
    lines.append(f"{what:<28}{figures}{ratio:>12.3f} (at most {MOST_RATIO:g})")
    is_within = ratio <= MOST_RATIO
    for name, word in WORDS.items():
        more_ms = statistics.median(after[name] - before[name] for before, after in images)
        figures = _medians(images, name, 2)
        lines.append(f"{word:<28}{figures}{more_ms:>+12.2f} (at most +{MOST_MORE_MS:g})")
        is_within &= more_ms <= MOST_MORE_MS
    # In ticks of 10 ms, so the means; without a bound, but steadier than the rest on a busy machine.
    means = [statistics.mean(pair[side]["cpu_ms"] for pair in images) for side in (0, 1)]
    lines.append(f"{'picture, CPU ms (means)':<28}{means[0]:>14.1f}{means[1]:>14.1f}{means[1] - means[0]:>+12.2f}")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    lines.append(f"machine: {cpu_name()}, {cores} cores, load {load:.1f} at the end")
    return "\n".join(lines) + "\n", is_within


def _medians(pairs: list[Pair], name: str, digits: int) -> str:
    return "".join(f"{statistics.median(pair[side][name] for pair in pairs):>14.{digits}f}" for side in (0, 1))


def write_image(video: Path, path: Path) -> None:
    """Write the first picture of a video."""
    with av.open(str(video)) as container:
        picture = next(container.decode(video=0))
    cv2.imwrite(str(path), picture.to_ndarray(format="bgr24"))


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "other", type=Path, nargs="?", help="root of a checkout from before the wall, with its own .venv"
    )
    parser.add_argument("--video", type=Path, help="the real video of the tests, where it is, or else a made one")
    parser.add_argument("--pairs", type=int, default=10, help="how often both sides do everything")
    parser.add_argument("--images", type=int, default=20, help="pairs of jobs of one picture after each pair of videos")
    options = parser.parse_args()
    walled = Side(HERE, "as-is")
    without = Side(HERE, "off") if options.other is None else Side(options.other.resolve(), "as-is")
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as folder:
        video, image = options.video or CARS, Path(folder, "picture.png")
        if not video.exists():
            video = Path(folder, "made.mp4")
            write_clip(video, frames=377, size_wh=(768, 432))
        write_image(video, image)
        found = compare(without, walled, video.resolve(), image, pairs=options.pairs, images=options.images)
    text, is_within = report(found, ("wall off" if options.other is None else "other", "this"))
    sys.stdout.write(text)
    return int(not is_within)


if __name__ == "__main__":
    sys.exit(main())
