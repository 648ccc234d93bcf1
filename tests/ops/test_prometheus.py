"""A real Prometheus scrapes the whole product while it does a job, and answers with what was counted."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import eventually, make_clip, running_stack
from tests.support.nats import free_port

CONFIG = """
global:
  scrape_interval: 3s
  scrape_timeout: 3s
scrape_configs:
  - job_name: launcher
    static_configs: [{{targets: ["127.0.0.1:{launcher}"]}}]
  - job_name: runner
    static_configs: [{{targets: ["127.0.0.1:{runner}"]}}]
"""
MISSING = [tool for tool in ("prometheus", "promtool") if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed (apt install prometheus)"),
]


class Prometheus:
    """A running Prometheus and the two ops ports it scrapes."""

    def __init__(self, http: httpx.AsyncClient, ports: dict[str, int]) -> None:
        self.http = http
        self.ports = ports

    async def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of every series that the expression gives."""
        answer = await self.http.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        return [(one["metric"], float(one["value"][1])) for one in answer.json()["data"]["result"]]

    async def is_ready(self) -> bool:
        try:
            return (await self.http.get("/-/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def metrics(self, service: str) -> bytes:
        """What it finds at one of the ops ports."""
        answer = await self.http.get(f"http://127.0.0.1:{self.ports[service]}/metrics")
        assert answer.status_code == 200
        return answer.content


@asynccontextmanager
async def running_prometheus(folder: Path, ports: dict[str, int]) -> AsyncIterator[Prometheus]:
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(CONFIG.format(**ports))
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            prometheus = Prometheus(http, ports)
            await eventually(prometheus.is_ready, 120, f"Prometheus is ready, see {folder / 'prometheus.log'}")
            yield prometheus
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def after_a_job(tmp_path) -> AsyncIterator[tuple[Prometheus, str]]:
    """The product and Prometheus after one job, and the job's id."""
    ports = {"launcher": free_port(), "runner": free_port()}
    env = {f"FORGESYTE_{name.upper()}_OPS_PORT": str(port) for name, port in ports.items()}
    clip = make_clip(tmp_path / "clip.mp4", frames=20)
    async with running_stack(tmp_path / "data", env=env) as stack, running_prometheus(tmp_path, ports) as prometheus:
        job_id = await stack.submit(clip, "detect-motion", "motion-detector")
        assert (await stack.ended(job_id))["status"] == "completed"
        await stack.http.get("/v1/plugins")
        yield prometheus, job_id


async def test_prometheus_scrapes_both_ops_ports_and_finds_the_job(after_a_job):
    prometheus, job_id = after_a_job

    async def the(expression: str, value: float) -> dict[str, str]:
        async def found() -> list[dict[str, str]]:
            return [labels for labels, seen in await prometheus.query(expression) if seen == value]

        return (await eventually(found, 120, f"{expression} is {value:g}"))[0]

    await the('up{job="launcher"}', 1)
    await the('up{job="runner"}', 1)
    accepted = await the('forgesyte_api_requests_total{route="/v1/video/submit"}', 1)
    assert (accepted["method"], accepted["code"], accepted["job"]) == ("POST", "202", "launcher")
    ended = await the("forgesyte_runner_jobs_total", 1)
    assert (ended["plugin"], ended["kind"], ended["outcome"]) == ("motion-detector", "video", "completed")
    await the('forgesyte_api_jobs_submitted_total{plugin="motion-detector",kind="video"}', 1)
    await the('forgesyte_api_uploads_total{result="stored"}', 1)
    await the('forgesyte_runner_frames_total{status="processed"}', 20)
    await the("sum(forgesyte_api_jobs_open)", 0)
    await the("forgesyte_api_projection_lag", 0)
    await the('forgesyte_inspector_runners{state="alive"}', 1)
    assert await prometheus.query(f'{{__name__=~"forgesyte.+",job_id="{job_id}"}}') == []

    for service in prometheus.ports:
        text = await prometheus.metrics(service)
        checked = await asyncio.to_thread(
            subprocess.run, ("promtool", "check", "metrics"), input=text, capture_output=True, check=False
        )
        assert checked.returncode == 0, f"{service}: {checked.stderr.decode()}"
        assert job_id.encode() not in text
