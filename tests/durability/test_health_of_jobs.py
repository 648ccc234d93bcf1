"""A runner that hangs where no supervisor replaces it: the services run one by one, as in pods, and health tells it."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support import TEST_PLUGINS, eventually, free_port, make_clip, meeting_point, nats_server, start_forked

LIMIT_S = 5
pytestmark = pytest.mark.long


class Services:
    """job-api and one runner over a bus."""

    def __init__(self, http: httpx.AsyncClient, ops: str, runner: psutil.Process) -> None:
        self.http, self.ops, self.runner = http, ops, runner

    async def submit(self, clip: Path, **options: object) -> httpx.Response:
        query = {"plugin_id": "probe", "tool": "gate", "options": json.dumps({"at": 10, **options})}
        return await self.http.post(
            "/v1/video/submit", params=query, content=clip.read_bytes(), headers={"Content-Type": "video/mp4"}
        )

    async def health(self) -> dict:
        return (await self.http.get("/health")).json()

    async def is_ready(self) -> bool:
        return (await self.http.get(f"{self.ops}/readyz")).is_success


@asynccontextmanager
async def services(folder: Path) -> AsyncIterator[Services]:
    port, ops_port = free_port(), free_port()
    common = {"store_url": folder / "store", "scratch_dir": folder / "scratch", "log_format": "json"}
    processes = []
    async with nats_server() as nats:
        try:
            settings = {"RUNNER": {"slots": 1, "plugins": "probe", "frame_timeout_s": LIMIT_S, "ops_port": -1}}
            settings["JOB_API"] = {"port": port, "ops_port": ops_port, "judge_runners_after_s": 9}
            for name, own in settings.items():
                env = {**os.environ, "PYTHONPATH": TEST_PLUGINS}
                values = {**common, "bus_url": nats.url, **own}
                env |= {f"FORGESYTE_{name}_{key.upper()}": str(value) for key, value in values.items()}
                module = {"RUNNER": "forgesyte_plugin_runner", "JOB_API": "forgesyte_job_api"}[name]
                with (folder / f"{name}.log").open("wb") as log:
                    processes.append(start_forked(module, env=env, output=log))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:
                yield Services(http, f"http://127.0.0.1:{ops_port}", psutil.Process(processes[0].pid))
        except BaseException:
            for log in folder.glob("*.log"):
                sys.stderr.write(log.read_text(errors="replace")[-4000:])
            raise
        finally:
            for process in processes:
                process.kill()
                process.wait()


async def test_a_runner_that_hangs_is_told_by_runners_and_progress_and_readiness_does_not_depend_on_it(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    gate, reached = meeting_point("gate"), meeting_point("reached")
    async with services(tmp_path) as running:

        async def is_known() -> bool:
            try:
                return (await running.health())["plugins_loaded"] > 0
            except httpx.TransportError:
                return False

        await eventually(is_known, 120, "the plugin is known")
        assert (await running.submit(clip, gate=str(gate), reached=str(reached))).status_code == 202
        await eventually(reached.exists, what="the job is in the middle")
        waiting = (await running.submit(clip)).json()["job_id"]
        assert (await running.health())["status"] == "healthy"

        running.runner.send_signal(signal.SIGSTOP)

        async def told(name: str) -> str | None:
            said = await running.health()
            return said["checks"][name] if said["status"] == "degraded" and said["checks"][name] != "ok" else None

        assert "fell silent" in await eventually(lambda: told("runners"), 30, "health tells of the runner")
        assert "stands still" in await eventually(lambda: told("progress"), 30, "health tells of the step")
        assert await running.is_ready()

        gate.touch()
        running.runner.send_signal(signal.SIGCONT)

        async def is_well() -> bool:
            return (await running.health())["status"] == "healthy"

        await eventually(is_well, what="health is well again")

        async def has_ended() -> bool:
            return (await running.http.get(f"/v1/jobs/{waiting}")).json()["status"] == "completed"

        await eventually(has_ended, what="the job that waited completes")
