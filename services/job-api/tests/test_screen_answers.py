"""What a page about jobs asks of the whole product, as its user starts it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support import Stack, make_clip, running_stack

FRAMES = 30

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path_factory.mktemp("screen") / "data", slots=1) as stack:
        yield stack


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


async def test_a_job_tells_its_file_its_options_and_what_its_dead_sandbox_wrote(stack, clip):
    job_id = await stack.submit(clip, "die", at=3, how="crash")

    job = await stack.ended(job_id)
    listed = (await stack.http.get("/v1/jobs", params={"limit": 1})).json()["jobs"][0]

    assert (job["filename"], job["options"]) == ("clip.mp4", {"die": {"at": 3, "how": "crash"}})
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["crashed", "crashed"]
    assert all("in process_frame" in attempt["log_tail"] for attempt in job["attempts"]), "Python frames of the plugin"
    assert (listed["job_id"], listed["filename"], listed["options"]) == (job_id, "clip.mp4", None)
