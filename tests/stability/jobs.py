"""Jobs through a real plugin-runner on a real bus, what it says of its plugins, and plugins a test writes itself."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from forgesyte_chassis.blobs import Store
from forgesyte_contracts import subjects
from forgesyte_contracts.ids import JobId, PluginName, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from tests.stability.runner import WatchedRunner, running_runner
from tests.support import eventually

LIMIT_S = 60


class JobRunner:
    """A runner, and job-api's part of its jobs: blob, record, work."""

    def __init__(self, runner: WatchedRunner, folder: Path) -> None:
        self.runner = runner
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
        """Wait until the job has ended; gives its record."""

        async def look() -> JobRecord | None:
            assert self.is_alive(), self.runner.log.read_text()[-4000:]
            record = await self.record(job_id)
            return record if record.is_terminal else None

        return await eventually(look, LIMIT_S, f"job {job_id} ends")

    async def done(self, media: bytes, plugin: str, tool: str = "misbehave", **options: object) -> JobRecord:
        """Submit, and wait for the end."""
        return await self.ended(await self.submit(media, plugin, tool, **options))

    async def status(self, plugin: str) -> PluginOnRunner:
        """What the runner says of a plugin from now on, not what it said before."""
        before = (await self._beats())[1]

        async def look() -> PluginOnRunner | None:
            shown, revision = await self._beats()
            return shown.get(plugin) if revision > before else None

        return await eventually(look, LIMIT_S, f"the runner tells of {plugin}")

    async def until(self, plugin: str, state: PluginState) -> PluginOnRunner:
        """Wait until the runner says that the plugin is in this state."""

        async def look() -> PluginOnRunner | None:
            shown = (await self._beats())[0].get(plugin)
            return shown if shown is not None and shown.state is state else None

        return await eventually(look, LIMIT_S, f"{plugin} is {state}")

    async def reload(self, plugin: str) -> None:
        await self.bus.control.reload(PluginName(plugin))

    async def metrics(self) -> str:
        """The text of a scrape."""
        lines = self.runner.log.read_text().splitlines()
        port = next(json.loads(line)["port"] for line in lines if '"ops port open"' in line)
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text

    async def value(self, name: str) -> float:
        """One sample of a scrape, given by its name with labels; 0 when it is not there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", await self.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def _beats(self) -> tuple[dict[str, PluginOnRunner], int]:
        """The plugins of the last heartbeat, and its revision."""
        async with self.bus.runners.watch() as view:
            (runner_id,) = view.living()
        value = await self.bus.runners._bucket.read(runner_id)
        assert value is not None
        beat = RunnerHeartbeat.model_validate_json(value.data)
        return {plugin.name: plugin for plugin in beat.plugins}, value.revision


@asynccontextmanager
async def job_runner(folder: Path, *plugins: str, **settings: object) -> AsyncIterator[JobRunner]:
    """Run a runner that has looked at all of `plugins`."""
    folder.mkdir(exist_ok=True)
    async with running_runner(folder, list(plugins), ops_port=0, **settings) as runner:
        await runner.heartbeat(len(plugins))
        jobs = JobRunner(runner, folder)
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
