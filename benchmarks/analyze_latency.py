"""How long POST /v1/image/analyze takes for a JPEG of 640 x 480 pixels, from the first byte sent to the result read.

    .venv/bin/python -m benchmarks.analyze_latency [--requests 100] [--warm-up 10]

Run it in the repository's root. It starts the whole product on its own data folder, sends one request after the other,
and prints the median and the ninth decile. Each request is a durable job: media and result are on the disk, the record
went through the bus, and two new sandboxes (probe and job) were forked for it. For scale, the same is printed for GET
/health (HTTP alone) and for the bare work (decoding and the same mean, in this process).
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from tests.support import Stack, running_stack

SIZE_WH = (640, 480)
QUERY = {"plugin_id": "picture", "tool": "measure"}
_SCALE_REQUESTS = 50


def a_jpeg() -> bytes:
    """Return a JPEG with as much detail as a photograph: gradients and a little noise."""
    width, height = SIZE_WH
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    image = np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.int16)
    image += np.random.default_rng(1).integers(-8, 8, image.shape, dtype=np.int16)
    _, data = cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8))
    return data.tobytes()


async def timed_ms(ask: Callable[[], Awaitable[None]], times: int) -> list[float]:
    """Do something `times` times, one after the other; return the milliseconds of each."""
    passed = []
    for _ in range(times):
        begun_s = time.perf_counter()
        await ask()
        passed.append(1000 * (time.perf_counter() - begun_s))
    return passed


async def measure(stack: Stack, requests: int, warm_up: int) -> dict[str, list[float]]:
    """Send requests to a running product; return the milliseconds of each kind of request."""
    jpeg = a_jpeg()

    async def analyze() -> None:
        answer = await stack.http.post(
            "/v1/image/analyze", params=QUERY, content=jpeg, headers={"Content-Type": "image/jpeg"}
        )
        answer.raise_for_status()

    async def health() -> None:
        (await stack.http.get("/health")).raise_for_status()

    async def bare() -> None:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise RuntimeError("the JPEG made here cannot be decoded")
        picture.reshape(-1, 3).mean(axis=0)

    await timed_ms(analyze, warm_up)
    return {
        "image/analyze": await timed_ms(analyze, requests),
        "health": await timed_ms(health, _SCALE_REQUESTS),
        "decode and mean, bare": await timed_ms(bare, _SCALE_REQUESTS),
    }


def cpu_name() -> str:
    """Return the processor's name as the kernel gives it, or else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def report(passed_ms: dict[str, list[float]]) -> str:
    """Return figures and machine as text."""
    width, height = SIZE_WH
    lines = [
        f"JPEG {width} x {height}, one request at a time; milliseconds",
        f"{'':<24}{'p50':>9}{'p90':>9}{'requests':>10}",
    ]
    for name, values in passed_ms.items():
        p90 = statistics.quantiles(values, n=10)[-1]
        lines.append(f"{name:<24}{statistics.median(values):>9.2f}{p90:>9.2f}{len(values):>10}")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    lines.append(f"machine: {cpu_name()}, {cores} cores, load {load:.1f} at the end, {platform.system()}")
    lines.append(f"Python {platform.python_version()}, forgesyte {version('forgesyte-job-api')}")
    return "\n".join(lines) + "\n"


async def main() -> None:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(description="Latency of image/analyze for a JPEG of 640 x 480 pixels.")
    parser.add_argument("--requests", type=int, default=100, help="requests that are measured")
    parser.add_argument("--warm-up", type=int, default=10, help="requests before them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as folder:
        async with running_stack(Path(folder) / "data", is_forked=False) as stack:
            passed_ms = await measure(stack, options.requests, options.warm_up)
    sys.stdout.write(report(passed_ms))


if __name__ == "__main__":
    asyncio.run(main())
