"""The whole product: `forgesyte up` in a process of its own, and requests over HTTP.

For tests the process is a fork of one that has imported the launcher; what it starts, it starts as ever. The launcher's
own tests, and benchmarks, start `forgesyte up` as a user does.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from .forked import Forked, start_forked
from .nats import free_port
from .waiting import eventually

FORGESYTE = str(Path(sys.executable).parent / "forgesyte")
SHORT_KEEPING = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2)
"""The server closes a connection that is idle for 75 s. A client that drops it earlier never meets the close."""

TEST_PLUGINS = str(Path(__file__).parent / "plugins")


class Stack:
    """One `forgesyte up` on a data folder; it can be killed and restarted on the same folder and port."""

    def __init__(
        self,
        data: Path,
        *,
        slots: int = 2,
        env: dict[str, str] | None = None,
        is_forked: bool = True,
        log: Path | None = None,
    ) -> None:
        self.data = data
        self.slots = slots
        self.port = free_port()
        self.env = env or {}
        self.is_forked = is_forked
        self.process: Forked | subprocess.Popen[bytes] | None = None
        self.log = log or data.parent / f"{data.name}-up.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False, limits=SHORT_KEEPING)

    async def start(self) -> None:
        """Start it and wait for its `ready` line."""
        options = ("up", "--port", str(self.port), "--data-dir", str(self.data), "--slots", str(self.slots))
        env = {**os.environ, "PYTHONPATH": TEST_PLUGINS, **self.env}
        with self.log.open("wb") as log:
            if self.is_forked:
                self.process = start_forked("forgesyte_launcher", *options, env=env, output=log)
            else:
                command = [FORGESYTE, *options]
                self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        await eventually(self._is_ready, 150, f"ready line in {self.log}")

    def _is_ready(self) -> bool:
        assert self.process
        text = self.log.read_text(errors="replace")
        assert self.process.poll() is None, f"forgesyte up ended with {self.process.returncode}:\n{text}"
        return re.search(r"ready http://", text) is not None

    def tree(self) -> list[psutil.Process]:
        """Return its running processes, the launcher first."""
        assert self.process
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def find(self, *words: str) -> list[psutil.Process]:
        """Return its processes whose command line contains every word."""
        return [p for p in self.tree() if all(word in " ".join(command_of(p)) for word in words)]

    def service(self, word: str) -> psutil.Process:
        """Return the child of the launcher whose command line contains the word.

        Only direct children count: a process that a service forks has the service's command line until its exec.
        """
        assert self.process
        children = psutil.Process(self.process.pid).children()
        (process,) = [child for child in children if word in " ".join(command_of(child))]
        return process

    def runner(self) -> psutil.Process:
        """The main plugin-runner's process."""
        (process,) = [runner for runner in self._runners() if not is_cell(runner)]
        return process

    def cells(self) -> list[psutil.Process]:
        """The processes of the cells, plugin-runners that take suspects alone."""
        return [runner for runner in self._runners() if is_cell(runner)]

    def _runners(self) -> list[psutil.Process]:
        assert self.process
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "forgesyte_plugin_runner" in command_of(child)]

    def nats(self) -> psutil.Process:
        """The nats-server's process."""
        return self.service("nats-server")

    async def submit(self, clip: Path, tool: str, plugin: str = "probe", **options: object) -> str:
        """Submit a clip; return the job id."""
        query = {"plugin_id": plugin, "tool": tool, "options": json.dumps(options), "filename": clip.name}
        answer = await self.http.post(
            "/v1/video/submit", params=query, content=clip.read_bytes(), headers={"Content-Type": "video/mp4"}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    async def job(self, job_id: str, *, extended: bool = True) -> dict[str, Any]:
        """Return the (extended) job."""
        answer = await self.http.get(f"/v1/jobs/{job_id}{'/extended' if extended else ''}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    async def ended(self, job_id: str, limit_s: float = 150) -> dict[str, Any]:
        """Wait until the job has ended; return the extended job."""

        async def look() -> dict[str, Any] | None:
            try:
                job = await self.job(job_id)
            except httpx.TransportError:
                return None
            return job if job["status"] in ("completed", "failed", "cancelled") else None

        return await eventually(look, limit_s, f"job {job_id} ends")

    async def rows(self, job_id: str) -> list[dict[str, Any]]:
        """Return all rows of the job, read as jsonl."""
        answer = await self.http.get(f"/v1/jobs/{job_id}/result", params={"format": "jsonl"})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def last_words(self) -> str:
        """Whether the launcher lives, and the end of its log: for a test that fails."""
        status = self.process.poll() if self.process else "not started"
        lines = self.log.read_text(errors="replace").splitlines()[-40:] if self.log.exists() else []
        return "\n".join([f"forgesyte up: {'running' if status is None else status}; the end of its log:", *lines])

    def kill(self) -> list[psutil.Process]:
        """Send SIGKILL to the launcher; return every process that was alive at that moment."""
        assert self.process
        tree = self.tree()
        self.process.kill()
        self.process.wait()
        return tree

    async def interrupt(self, limit_s: float = 120) -> int:
        """Press Ctrl-C; return the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, limit_s)


def command_of(process: psutil.Process) -> list[str]:
    """Return the command line; empty when the process is gone."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_cell(runner: psutil.Process) -> bool:
    """Whether a plugin-runner takes suspects only; not when it is gone."""
    try:
        return runner.environ().get("FORGESYTE_RUNNER_SUSPECTS") == "only"
    except psutil.Error:
        return False


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run (a zombie is dead)."""
    return [process for process in processes if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Return whether it runs; it may end between the two checks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def running_stack(data: Path, **settings: object) -> AsyncIterator[Stack]:
    """Run the whole product for one test; whatever happens, no process is left."""
    stack = Stack(data, **settings)  # type: ignore[arg-type]  # passed on as they are
    try:
        await stack.start()
        yield stack
    except Exception as error:
        error.add_note(stack.last_words())
        raise
    finally:
        await stack.http.aclose()
        if stack.process and stack.process.poll() is None:
            tree = stack.tree()
            stack.process.terminate()
            try:
                await asyncio.to_thread(stack.process.wait, 45)
            except subprocess.TimeoutExpired:
                stack.process.kill()
                stack.process.wait()
            for process in alive(tree):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
