"""The table of a copy as it is read: no more of it than was asked for, and few answers at once."""

import asyncio
import tracemalloc

import pytest

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_contracts.http.frame_table import FRAMES_TYPE, decode_frame_table, encode_frame_table
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_contracts.subjects import playable_blob, playable_facts_blob, playable_times_blob
from forgesyte_job_api.results.playable_facts import PlayableFacts
from forgesyte_job_api.results.playable_times import copy_head, read_copy_times
from forgesyte_job_api.routes.frames import MAX_FRAMES
from forgesyte_sandbox.shared.specs import PLAYABLE_RULES
from tests.support import eventually

BINARY = {"Accept": FRAMES_TYPE}


def time_of(frame):
    return 100 + 40_000 * frame


async def copied_job(store, record, frames):
    """A job of which a copy of so many frames was made."""
    facts = PlayableFacts(
        rules=PLAYABLE_RULES, shows="copy", media_type="video/mp4", frames=frames, width=64, height=48
    )
    table = encode_frame_table(copy_head(record, facts), range(frames), list(map(time_of, range(frames))))
    await store.put(playable_times_blob(record.job_id), table)
    await store.put(playable_blob(record.job_id), b"the copy")
    await store.put(playable_facts_blob(record.job_id), facts.model_dump_json().encode())
    return facts


@pytest.mark.parametrize(
    ("from_frame", "limit", "expected"),
    [
        pytest.param(0, 9, range(9), id="all"),
        pytest.param(0, 1000, range(9), id="more than all"),
        pytest.param(3, 2, range(3, 5), id="some in the middle"),
        pytest.param(8, 5, range(8, 9), id="the last one"),
        pytest.param(9, 5, range(0), id="behind the end"),
        pytest.param(10**15, 5, range(0), id="far behind the end"),
    ],
)
async def test_a_part_has_the_frames_that_were_asked_for(make, tmp_path, from_frame, limit, expected):
    store, record = Store.open(str(tmp_path)), make.a_record()
    facts = await copied_job(store, record, 9)

    times = await read_copy_times(store, record.job_id, facts, from_frame=from_frame, limit=limit)

    assert list(times.frame_index) == list(expected)
    assert list(times.time_us) == list(map(time_of, expected))


async def test_a_short_part_of_a_long_table_takes_little_memory(make, tmp_path):
    store, record = Store.open(str(tmp_path)), make.a_record()
    facts = await copied_job(store, record, 200_000)

    tracemalloc.start()
    try:
        times = await read_copy_times(store, record.job_id, facts, from_frame=150_000, limit=10)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert times.time_us[0] == time_of(150_000)
    assert peak_bytes < 200_000


async def test_a_table_that_is_gone_is_unknown_and_one_that_is_cut_is_damaged(make, tmp_path):
    store, record = Store.open(str(tmp_path)), make.a_record()
    facts = await copied_job(store, record, 9)
    whole = await store.get(playable_times_blob(record.job_id))

    await store.put(playable_times_blob(record.job_id), whole[:-8])
    with pytest.raises(ValueError, match="expected 72 bytes of times, found 64"):
        await read_copy_times(store, record.job_id, facts, from_frame=0, limit=9)
    await store.delete(playable_times_blob(record.job_id))
    with pytest.raises(ForgeSyteError, match="JOB_UNKNOWN"):
        await read_copy_times(store, record.job_id, facts, from_frame=0, limit=9)
    with pytest.raises(BlobMissing):
        await store.get(playable_times_blob(record.job_id))


async def test_an_answer_has_a_million_frames_at_most_and_the_next_has_the_rest(api, make):
    record = await api.put(make.a_record())
    await copied_job(api.store, record, MAX_FRAMES + 2)
    url, of = f"/v1/jobs/{record.job_id}/frames", {"of": "playable"}

    first = await api.http.get(url, params=of, headers=BINARY)
    rest = await api.http.get(url, params={**of, "from_frame": MAX_FRAMES}, headers=BINARY)

    assert len(first.content) == 48 + 8 * MAX_FRAMES
    assert decode_frame_table(rest.content, record.job_id).frame_index == [MAX_FRAMES, MAX_FRAMES + 1]


async def test_four_tables_are_answered_at_once_and_the_others_wait(api, make, monkeypatch):
    record = await api.put(make.a_record())
    await copied_job(api.store, record, 9)
    reading, most, go, get_range = [], [], asyncio.Event(), Store.get_range

    async def held(store, path, start, end):
        reading.append(path)
        most.append(len(reading))
        await go.wait()
        try:
            return await get_range(store, path, start, end)
        finally:
            reading.remove(path)

    monkeypatch.setattr(Store, "get_range", held)
    url, of = f"/v1/jobs/{record.job_id}/frames", {"of": "playable"}
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(api.http.get(url, params=of)) for _ in range(8)]
        await eventually(lambda: len(reading) == 4 and api.state.tables.locked())
        go.set()

    assert [one.result().status_code for one in asking] == [200] * 8
    assert max(most) == 4
