"""Generated requests to every route of the running product, each answer held against the OpenAPI document.

schemathesis makes them from that document: valid ones, and ones that break each part of it. Two minutes here; `make
generated-requests` takes five.
"""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import TEST_PLUGINS, Stack, eventually, make_clip, meeting_point, running_stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

SECONDS = int(os.environ.get("FORGESYTE_REQUESTS_S", "120"))
HERE = Path(__file__).parent
SCHEMATHESIS = str(Path(sys.executable).parent / "schemathesis")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance",
)  # fmt: skip
"""Not checked is that what fits the document is accepted: whether a plugin or a video is there is not in it."""


async def test_no_generated_request_is_answered_with_a_5xx_or_against_the_document(tmp_path, image):
    clip = make_clip(tmp_path / "a.mp4", frames=30)
    gate = meeting_point("gate")
    plugins = os.pathsep.join((str(HERE / "plugins"), TEST_PLUGINS))
    async with running_stack(tmp_path / "data", env={"PYTHONPATH": plugins}) as stack:
        jobs = [await stack.submit(clip, "detect-motion", plugin="motion-detector") for _ in range(2)]
        jobs.append(await stack.submit(clip, "gate", at=12, gate=str(gate)))
        await stack.http.post(f"/v1/jobs/{jobs[-1]}/cancel")
        for job_id in jobs:
            await stack.ended(job_id)
        gate.touch()  # generated retries submit the cancelled job once more: then it must end, and give its slot back
        (tmp_path / "openapi.json").write_bytes((await stack.http.get("/openapi.json")).content)
        real = {
            "SCHEMATHESIS_HOOKS": "real_requests",
            "PYTHONPATH": str(HERE),
            "FORGESYTE_TEST_JOBS": " ".join(jobs),
            "FORGESYTE_TEST_VIDEO": str(clip),
            "FORGESYTE_TEST_IMAGE": str(image),
        }

        await send_generated(stack, tmp_path, "--mode", "all", checks=(*CHECKS, "negative_data_rejection"))
        await send_generated(stack, tmp_path, "--mode", "positive", checks=CHECKS, env=real)

        assert (await stack.http.get("/v1/jobs")).json()["count"] > len(jobs), "some of the requests became jobs"

        async def all_have_ended() -> bool:
            states = ["pending", "running"]
            return (await stack.http.get("/v1/jobs", params={"status": states})).json()["count"] == 0

        await eventually(all_have_ended, 300, "every job that was accepted ends")
        assert (await stack.http.get("/health")).json()["status"] == "healthy"


async def send_generated(
    stack: Stack, folder: Path, *options: str, checks: tuple[str, ...], env: dict[str, str] | None = None
) -> None:
    """Send generated requests for half of the time; fails with all that schemathesis says."""
    command = [
        SCHEMATHESIS, "run", str(folder / "openapi.json"), "--url", stack.url, "--max-time", str(SECONDS // 2),
        "--checks", ",".join(checks), "--continue-on-failure", "--request-timeout", "60", "--no-color", *options,
    ]  # fmt: skip
    ran = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | (env or {}), cwd=folder, capture_output=True, text=True,
        timeout=SECONDS + 600,
    )  # fmt: skip
    found = re.search(r"(\d+) generated, (\d+) passed", ran.stdout)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-4000:]
    assert found is not None, ran.stdout
    assert found[1] == found[2]
    assert int(found[1]) > 300, "enough to mean something"
    print(found[0], *re.findall(r"Seed: \d+", ran.stdout))
