"""A box for runner tests: real bus, real store, real runner processes; nothing remains afterwards."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import psutil
import pytest
import pytest_asyncio

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.segments import read_rows
from forgesyte_contracts import moves, subjects
from forgesyte_contracts.ids import JobId, RunnerId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.streams import WORK
from tests.support import (
    TEST_PLUGINS,
    Forked,
    NatsServer,
    alive,
    eventually,
    make_clip,
    meeting_point,
    nats_server,
    start_forked,
)

FRAMES = 60
LIMIT_S = 60


class RunnerProcess:
    """One plugin-runner."""

    def __init__(self, process: Forked, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def tree(self) -> list[psutil.Process]:
        """Return its living zygote and sandboxes."""
        return psutil.Process(self.pid).children(recursive=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def drained(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        await eventually(lambda: self.process.poll() is not None, LIMIT_S, "the runner ends")
        return self.process.returncode


class Box:
    """Bus, store and runners of one test."""

    def __init__(self, folder: Path, nats: NatsServer, bus: Bus) -> None:
        self.folder = folder
        self.nats = nats
        self.bus = bus
        self.store = Store.open(str(folder / "store"))
        self.scratch = folder / "scratch"
        self.runners: list[RunnerProcess] = []

    def start_runner(self, **settings: object) -> RunnerProcess:
        """Start a runner; keywords are its settings."""
        values = {"bus_url": self.nats.url, "store_url": self.folder / "store", "scratch_dir": self.scratch}
        values |= {"ops_port": -1, "slots": 1, "plugins": "probe", "log_format": "json", **settings}
        path = os.pathsep.join(filter(None, (TEST_PLUGINS, os.environ.get("PYTHONPATH"))))
        env = {**os.environ, "PYTHONPATH": path}
        env |= {f"FORGESYTE_RUNNER_{name.upper()}": str(value) for name, value in values.items()}
        log = self.folder / f"runner-{len(self.runners)}.log"
        with log.open("wb") as out:
            process = start_forked("forgesyte_plugin_runner", env=env, output=out)
        self.runners.append(RunnerProcess(process, log))
        return self.runners[-1]

    async def submit(self, media: bytes, tool: str, plugin: str = "probe", **options: object) -> JobId:
        """Submit a video for one tool."""
        return await self.submit_record(media, plugin_id=plugin, tools=(tool,), options={tool: options})

    async def submit_record(self, media: bytes, **facts: object) -> JobId:
        """Do what job-api does: blob, record, work."""
        job_id, now = new_job_id(), datetime.now(UTC)
        await self.store.put(subjects.input_blob(job_id), media)
        record = JobRecord(job_id=job_id, created_at=now, updated_at=now, **facts)
        await self.bus.jobs.create(record)
        await self.bus.work.publish(job_id, record.plugin_id, "cpu")
        return job_id

    async def record(self, job_id: JobId) -> JobRecord:
        stored = await self.bus.jobs.get(job_id)
        assert stored is not None
        return stored.record

    async def ended(self, job_id: JobId) -> JobRecord:
        """Wait until the job has ended; return its record."""

        async def look() -> JobRecord | None:
            assert any(runner.process.poll() is None for runner in self.runners), "no runner lives"
            record = await self.record(job_id)
            return record if record.is_terminal else None

        try:
            return await eventually(look, LIMIT_S, "the job ends")
        except AssertionError:
            for runner in self.runners:
                sys.stderr.write(runner.log.read_text(errors="replace"))
            raise

    async def cancel(self, job_id: JobId) -> bool:
        """Do what job-api does first, and ask the owner.

        The message is sent once and its answer awaited: a busy owner answers later than job-api would wait.
        """
        return await self.bus.control.request_cancel(job_id, tries=1, timeout_s=LIMIT_S)

    async def cancel_silently(self, job_id: JobId) -> None:
        """Do what job-api does when the owner does not answer: write the record."""
        await self.bus.jobs.change(job_id, lambda record: moves.cancelled(record, datetime.now(UTC)))

    async def take_over(self, job_id: JobId, runner_id: str) -> None:
        """Claim the job as another runner would that considers its owner dead."""
        await self.bus.jobs.change(job_id, lambda record: moves.claimed(record, RunnerId(runner_id), datetime.now(UTC)))

    async def hand_out_again(self) -> None:
        """Make the queue deliver its first message again, as the late nak of a zombie does."""
        reply = f"$JS.ACK.{WORK.name}.{subjects.work_consumer('probe', 'cpu')}.1.1.1.0.0"
        await self.bus._main.publish(reply, b"-NAK")

    async def rows(self, job_id: JobId) -> list[dict]:
        return [orjson.loads(row) async for row in read_rows(self.store, await self.record(job_id))]

    async def is_acknowledged(self, job_id: JobId, plugin: str = "probe") -> bool:
        return not await self.bus.work.has(job_id, plugin, "cpu")


class SharedBox(Box):
    """A box for the tests of one file: a test that wants the settings of the last runner gets that one."""

    settings: dict[str, object] | None = None

    def start_runner(self, **settings: object) -> RunnerProcess:
        living = [runner for runner in self.runners if runner.process.poll() is None]
        if len(living) == 1 and settings == self.settings:
            return living[0]
        for runner in living:
            runner.kill()
        self.settings = settings
        return self.start_another(**settings)

    def start_another(self, **settings: object) -> RunnerProcess:
        """Start a runner beside those that run."""
        return super().start_runner(**settings)


@asynccontextmanager
async def open_box(folder: Path, kind: type[Box] = Box) -> AsyncIterator[Box]:
    async with AsyncExitStack() as stack:
        nats = await stack.enter_async_context(nats_server())
        bus = await stack.enter_async_context(Bus.connect(nats.url, name="test"))
        await bus.ensure()
        box = kind(folder, nats, bus)
        try:
            yield box
        finally:
            for runner in box.runners:
                if runner.process.poll() is None:
                    tree = runner.tree()
                    runner.kill()
                    await eventually(lambda tree=tree: not alive(tree), LIMIT_S, "zygote and sandboxes died with it")


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    async with open_box(tmp_path) as box:
        yield box


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Box]:
    """For files whose tests leave bus and runner in order; they run on the loop of their module."""
    async with open_box(tmp_path_factory.mktemp("box"), SharedBox) as box:
        yield box


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a clip of FRAMES frames whose brightness identifies the frame."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=FRAMES).read_bytes()


class Gate:
    """The probe's tool `gate` waits at frame `at` until the test opens it."""

    def __init__(self, folder: Path, name: str = "job", at: int = 30) -> None:
        self.file = meeting_point(f"{name}-gate")
        self.reached_file = meeting_point(f"{name}-reached")
        self.at = at

    @property
    def options(self) -> dict[str, object]:
        return {"at": self.at, "gate": str(self.file), "reached": str(self.reached_file)}

    async def reached(self) -> int:
        """Wait until the plugin waits at the gate; return the sandbox's pid."""
        return int(await eventually(lambda: self.reached_file.exists() and self.reached_file.read_text(), LIMIT_S))

    def open(self) -> None:
        self.file.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def another_gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, "another")
