"""Copies and annotated videos respect the reserve of the disks, and a full disk is said to be one."""

import asyncio

import pytest

from forgesyte_chassis.store.blobs import Store, StoreUnavailable
from forgesyte_contracts import moves
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import annotated_blob, input_blob, playable_blob
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from tests.support import eventually
from tests.support.small_disk import small_disk

EVERYTHING = 1 << 60
PLAYABLE, ANNOTATED = "playable", "result"
MIB = 1 << 20
MADE = {"frames": 1, "width": 64, "height": 48, "pixel_aspect": "1:1"}
WELL = SandboxOutcome(True, MADE, None, None, 1.0, "succeeded")


class MakingSandbox:
    """Says that browsers show nothing as it is, and makes what it is asked for; `meanwhile` is done before it ends."""

    def __init__(self, meanwhile=lambda: None, outcome=WELL):
        self.programs = []
        self.meanwhile = meanwhile
        self.outcome = outcome

    async def run(self, order):
        self.programs.append(order.program)
        if order.program == "playable":
            return SandboxOutcome(True, {"media_type": None, "because": "x"}, None, None, 1.0, "succeeded")
        (order.folder / order.spec.output).write_bytes(b"made")
        if order.program == "playable_copy":
            (order.folder / order.spec.times).write_bytes(bytes(8))
        self.meanwhile()
        return self.outcome


async def ended_job(api, make, size_bytes):
    record = moves.failed(
        moves.claimed(make.a_record(), "runner-1", make.NOW), Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW
    )
    await api.store.put(input_blob(record.job_id), bytes(size_bytes))
    return await api.put(record)


async def settled(api, record, what):
    """Ask until it is no longer being made."""
    found = []

    async def has_ended():
        url = f"/v1/jobs/{record.job_id}/{what}"
        query = {"format": "mp4"} if what == ANNOTATED else {}
        found[:] = [await api.http.get(url, params=query, headers={"Prefer": "respond-async"})]
        return found[0].status_code != 202

    await eventually(has_ended)
    return found[0]


async def nothing_is_kept(api, record):
    sizes = [await api.store.size(path(record.job_id)) for path in (playable_blob, annotated_blob)]
    left = [*api.state.scratch.path.glob("playable-*"), *api.state.scratch.path.glob("annotate-*")]
    return sizes == [None, None] and left == []


@pytest.mark.parametrize("what", [PLAYABLE, ANNOTATED])
async def test_nothing_is_made_below_the_reserve(start, make, what):
    sandbox = MakingSandbox()
    async with start(zygote=sandbox, min_free_bytes=EVERYTHING) as api:
        record = await ended_job(api, make, 1000)

        answer = await settled(api, record, what)

        assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL"), answer.text
        assert "are kept free" in answer.json()["detail"]
        assert "Retry-After" in answer.headers
        assert sandbox.programs == []
        assert await nothing_is_kept(api, record)


@pytest.mark.parametrize(("what", "programs"), [(PLAYABLE, ["playable"]), (ANNOTATED, [])])
async def test_nothing_is_made_where_the_input_and_as_much_again_do_not_fit(start, make, tmp_path, what, programs):
    sandbox = MakingSandbox()
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with start(zygote=sandbox, scratch_dir=str(disk.path / "scratch")) as api:
            record = await ended_job(api, make, 5 * MIB)

            answer = await settled(api, record, what)

            assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL"), answer.text
            assert f"{10 * MIB} bytes are needed and there is room for" in answer.json()["detail"]
            assert sandbox.programs == programs
            assert await nothing_is_kept(api, record)


@pytest.mark.parametrize("what", [PLAYABLE, ANNOTATED])
async def test_what_fits_is_made(start, make, tmp_path, what):
    sandbox = MakingSandbox()
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with start(zygote=sandbox, scratch_dir=str(disk.path / "scratch")) as api:
            record = await ended_job(api, make, 3 * MIB)

            assert (await settled(api, record, what)).content == b"made"


@pytest.mark.parametrize("what", [PLAYABLE, ANNOTATED])
@pytest.mark.parametrize(
    "outcome",
    [WELL, SandboxOutcome(False, None, "OSError: no space", None, 1.0, "failed", Code.PLUGIN_ERROR)],
    ids=["the sandbox had just ended", "the sandbox met it"],
)
async def test_a_disk_that_fills_meanwhile_is_told_and_nothing_is_kept(start, make, tmp_path, what, outcome):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        sandbox = MakingSandbox(disk.fill, outcome)
        async with start(zygote=sandbox, scratch_dir=str(disk.path / "scratch")) as api:
            record = await ended_job(api, make, 1000)

            answer = await settled(api, record, what)

            assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL"), answer.text
            assert await nothing_is_kept(api, record)


@pytest.mark.parametrize("what", [PLAYABLE, ANNOTATED])
async def test_a_store_that_fails_because_of_a_full_disk_says_so(start, make, tmp_path, monkeypatch, what):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with start(zygote=MakingSandbox(), scratch_dir=str(disk.path / "scratch")) as api:
            record = await ended_job(api, make, 1000)

            async def fails(*_):
                disk.fill()
                raise StoreUnavailable

            monkeypatch.setattr(Store, "fetch_to", fails)
            answer = await settled(api, record, what)

            assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL"), answer.text


@pytest.mark.parametrize("what", [PLAYABLE, ANNOTATED])
async def test_a_store_that_fails_by_itself_is_unavailable(start, make, monkeypatch, what):
    async with start(zygote=MakingSandbox()) as api:
        record = await ended_job(api, make, 1000)

        async def fails(*_):
            await asyncio.sleep(0)
            raise StoreUnavailable

        monkeypatch.setattr(Store, "fetch_to", fails)
        answer = await settled(api, record, what)

        assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE"), answer.text
