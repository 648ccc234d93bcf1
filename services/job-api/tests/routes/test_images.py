"""POST /v1/image/submit as its clients see it."""

import pytest

from forgesyte_contracts.subjects import input_blob
from tests.support import job_ids

BOTH = ("image", "video")


@pytest.fixture
async def images(api, make):
    """job-api with a plugin `motion` whose tools take images, videos, or both."""
    tools = (
        make.a_tool("detect-motion"),
        make.a_tool("read-text", inputs=("image",)),
        make.a_tool("find-edges", inputs=BOTH, aliases=("edges",)),
    )
    await api.beat(make.a_plugin(tools=tools))
    return api


async def submit(api, tool, *, content=b"an image", kind="image/png", path="/v1/image/submit", **query):
    params = {"plugin_id": "motion", "tool": tool, **query}
    return await api.http.post(path, params=params, content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp", "image/tiff", "application/octet-stream"])
async def test_a_raw_body_becomes_an_image_job(images, kind):
    answer = await submit(images, "read-text", kind=kind, filename="page.png")

    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['job_id']}"
    record = (await images.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.job_type, record.input.filename, record.input.media_type) == ("image", "page.png", kind)
    assert await images.store.get(input_blob(record.job_id)) == b"an image"
    assert await images.bus.work.has(record.job_id, "motion", "cpu")


async def test_an_image_has_no_stream_to_choose(images):
    answer = await submit(images, "read-text", video_stream=0)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert "leave it out" in answer.json()["detail"]


@pytest.mark.parametrize("field", ["image", "file"])
async def test_a_form_becomes_the_same_job(images, make, field):
    texts = [("plugin_id", "motion"), ("tool", "read-text"), ("tool", "edges")]
    body = make.form(texts, (field, "page.png", b"an image"))

    answer = await images.http.post("/v1/image/submit", content=body, headers=make.FORM)

    assert answer.status_code == 202, answer.text
    assert answer.json()["tools"] == ["read-text", "find-edges"]
    record = (await images.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.job_type, record.input.filename) == ("image_multi", "page.png")


async def test_the_probe_is_told_what_is_expected(start, make):
    asked = []

    async with start() as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("find-edges", inputs=BOTH),)))
        sandbox = api.state.zygote
        run = sandbox.run

        async def noting(order):
            asked.append((order.program, order.spec.kind))
            return await run(order)

        sandbox.run = noting
        await submit(api, "find-edges")
        await submit(api, "find-edges", path="/v1/video/submit", kind="video/mp4")

    assert asked == [("probe", "image"), ("probe", "video")]


WRONG_KIND = {
    "video tool, image": ("/v1/image/submit", "image/png", "detect-motion", "read-text, find-edges"),
    "video tool, analyze": ("/v1/image/analyze", "image/png", "detect-motion", "read-text, find-edges"),
    "image tool, video": ("/v1/video/submit", "video/mp4", "read-text", "detect-motion, find-edges"),
}


@pytest.mark.parametrize(("path", "kind", "tool", "said"), WRONG_KIND.values(), ids=WRONG_KIND)
async def test_a_tool_for_other_media_is_refused_naming_those_that_fit(images, path, kind, tool, said):
    answer = await submit(images, tool, path=path, kind=kind)

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "TOOL_UNKNOWN", "tool")
    assert said in answer.json()["detail"]
    assert await images.store.list("") == []
    assert await job_ids(images.bus) == []


async def test_one_wrong_tool_among_several_refuses_the_job(images):
    answer = await submit(images, ["find-edges", "detect-motion"])

    assert (answer.status_code, answer.json()["code"]) == (400, "TOOL_UNKNOWN")
    assert "detect-motion" in answer.json()["detail"]


MEDIA = {
    "a video": ("video/mp4", b"x", 415, "MEDIA_INVALID", "image/*"),
    "empty": ("image/png", b"", 415, "MEDIA_INVALID", "0 bytes"),
    "no type": ("text/plain", b"x", 415, "MEDIA_INVALID", "field `image`"),
}


@pytest.mark.parametrize("path", ["/v1/image/submit", "/v1/image/analyze"])
@pytest.mark.parametrize(("kind", "body", "status", "code", "said"), MEDIA.values(), ids=MEDIA)
async def test_what_is_announced_as_no_image_is_refused(images, path, kind, body, status, code, said):
    answer = await submit(images, "read-text", content=body, kind=kind, path=path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]
    assert await images.store.list("") == []


async def test_a_video_part_in_an_image_form_is_refused(images, make):
    body = make.form([("plugin_id", "motion"), ("tool", "read-text")], ("video", "a.mp4", b"x"))

    answer = await images.http.post("/v1/image/submit", content=body, headers=make.FORM)

    assert (answer.status_code, answer.json()["field"]) == (422, "image")
    assert await images.store.list("") == []
