"""Jobs through a real plugin-runner on a real bus, what it says of its plugins, and plugins a test writes itself."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts import subjects
from forgesyte_contracts.ids import JobId, PluginName, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from tests.stability.runner import WatchedRunner, running_runner
from tests.support import eventually

LIMIT_S = 120


class JobRunner:
    """A runner, and job-api's part of its jobs: blob, record, work."""

    def __init__(self, runner: WatchedRunner, folder: Path, http: httpx.AsyncClient) -> None:
        self.runner = runner
        self.http = http
        self.bus = runner.bus
        self.store = Store.open(str(folder / "store"))

    @property
    def pid(self) -> int:
        return self.runner.process.pid

    def is_alive(self) -> bool:
        return self.runner.process.poll() is None

    async def submit(self, media: bytes, plugin: str, tool: str = "misbehave", **options: object) -> JobId:
        job_id, now = new_job_id(), datetime.now(UTC)
        await self.store.put(subjects.input_blob(job_id), media)
        facts = {"plugin_id": plugin, "tools": (tool,), "options": {tool: options}}
        await self.bus.jobs.create(JobRecord(job_id=job_id, created_at=now, updated_at=now, **facts))
        await self.bus.work.publish(job_id, plugin, "cpu")
        return job_id

    async def record(self, job_id: JobId) -> JobRecord:
        stored = await self.bus.jobs.get(job_id)
        assert stored is not None
        return stored.record

    async def ended(self, job_id: JobId) -> JobRecord:
        """Wait until the job has ended; return its record."""

        async def look() -> JobRecord | None:
            assert self.is_alive(), self.runner.log.read_text()[-4000:]
            record = await self.record(job_id)
            return record if record.is_terminal else None

        return await eventually(look, LIMIT_S, f"job {job_id} ends")

    async def done(self, media: bytes, plugin: str, tool: str = "misbehave", **options: object) -> JobRecord:
        """Submit, and wait for the end."""
        return await self.ended(await self.submit(media, plugin, tool, **options))

    async def status(self, plugin: str) -> PluginOnRunner:
        """What the runner says of a plugin from now on, not what it said before, when no job is in its hands.

        A job has ended for its record a moment before it is counted and its slot is free.
        """
        before = (await self._beat())[1]

        async def look() -> PluginOnRunner | None:
            beat, revision = await self._beat()
            return plugin_in(beat, plugin) if beat and revision > before and not beat.slots_busy else None

        return await eventually(look, LIMIT_S, f"the runner is idle and tells of {plugin}")

    async def until(self, plugin: str, state: PluginState) -> PluginOnRunner:
        """Wait until the runner says that the plugin is in this state."""

        async def look() -> PluginOnRunner | None:
            shown = plugin_in((await self._beat())[0], plugin)
            return shown if shown is not None and shown.state is state else None

        return await eventually(look, LIMIT_S, f"{plugin} is {state}")

    async def reload(self, plugin: str) -> None:
        await self.bus.control.reload(PluginName(plugin))

    async def metrics(self) -> str:
        """The text of a scrape."""
        lines = self.runner.log.read_text().splitlines()
        port = next(json.loads(line)["port"] for line in lines if '"ops port open"' in line)
        return (await self.http.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text

    async def value(self, name: str) -> float:
        """One sample of a scrape, given by its name with labels; 0 when it is not there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", await self.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def _beat(self) -> tuple[RunnerHeartbeat | None, int]:
        """The last heartbeat and its revision; none while a runner that is short of time has let the last one lapse."""
        async with self.bus.runners.watch() as view:
            living = list(view.living())
        value = await self.bus.runners._bucket.read(living[0]) if living else None
        return (RunnerHeartbeat.model_validate_json(value.data), value.revision) if value else (None, 0)


def plugin_in(beat: RunnerHeartbeat | None, name: str) -> PluginOnRunner | None:
    """What a heartbeat says of a plugin."""
    return next((plugin for plugin in beat.plugins if plugin.name == name), None) if beat else None


@asynccontextmanager
async def job_runner(folder: Path, *plugins: str, **settings: object) -> AsyncIterator[JobRunner]:
    """Run a runner that has looked at all of `plugins`."""
    folder.mkdir(exist_ok=True)
    async with (
        httpx.AsyncClient(timeout=LIMIT_S) as http,
        running_runner(folder, list(plugins), ops_port=0, **settings) as runner,
    ):
        await runner.heartbeat(len(plugins))
        jobs = JobRunner(runner, folder, http)
        await eventually(lambda: '"ops port open"' in runner.log.read_text(), LIMIT_S, "the ops port is open")
        yield jobs


def install(folder: Path, distribution: str, code: str, **plugins: str) -> None:
    """Write a distribution of one module; `plugins` are names (`_` for `-`) and classes in it."""
    module = distribution.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "\n".join(f"{name.replace('_', '-')} = {module}:{value}" for name, value in plugins.items())
    (info / "entry_points.txt").write_text(f"[forgesyte.plugins]\n{lines}\n")
