"""GET /v1/jobs/{job_id}/result/timeline."""

import asyncio
import tracemalloc

import orjson
import pytest

from forgesyte_chassis.store.segments import merge_segments, write_segment
from forgesyte_contracts import moves
from forgesyte_contracts.results import ResultSummary
from forgesyte_job_api.results import timelines
from tests.support import eventually

CAR = {"xyxy": [1, 2, 3, 4], "class": "car", "track_id": 4}


def rows(first: int, end: int) -> list[bytes]:
    return [
        orjson.dumps({"frame_index": n, "detections": {"tracked_objects": [CAR] if n % 10 < 5 else []}})
        for n in range(first, end)
    ]


async def running_job(api, make, frames, **facts):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    for first in range(0, frames, 50):
        await write_segment(api.store, record.job_id, 1, first, rows(first, min(first + 50, frames)))
    return moves.progressed(record, make.NOW, end_frame=frames, **facts)


async def ended_job(api, make, frames):
    record = await running_job(api, make, frames, total_frames=frames)
    await merge_segments(api.store, record)
    return await api.put(moves.completed(record, make.NOW, summary=ResultSummary(frame_count=frames)))


async def timeline(api, record, **query):
    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result/timeline", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_completed_job_has_a_lane_for_each_class_and_track(api, make):
    record = await ended_job(api, make, 100)

    told = await timeline(api, record, bins=10)

    lane = {
        "tool": "detect-motion", "class": "car", "frames": 50, "detections": 50, "first_frame": 0, "last_frame": 94,
        "runs": [[0, 9, 50]],
    }  # fmt: skip
    assert told == {
        "job_id": record.job_id,
        "attempt": 1,
        "complete": True,
        "bins": 10,
        "total_frames": 100,
        "lanes": [{**lane, "kind": "class", "track_id": None}, {**lane, "kind": "track", "track_id": 4}],
        "lanes_omitted": 0,
    }


@pytest.mark.parametrize(
    ("total", "covered", "runs"),
    [(200, 200, [[0, 2, 15]]), (None, 30, [[0, 2, 5], [6, 9, 5], [13, 16, 5]])],
    ids=["known", "unknown"],
)
async def test_a_running_job_covers_its_rows_so_far_and_all_its_frames_once_they_are_known(
    api, make, total, covered, runs
):
    record = await api.put(await running_job(api, make, 30, total_frames=total))

    told = await timeline(api, record, bins=20)

    assert (told["complete"], told["total_frames"]) == (False, covered)
    assert [lane["runs"] for lane in told["lanes"]] == [runs, runs]


async def test_there_are_never_more_bins_than_frames(api, make):
    record = await ended_job(api, make, 30)

    told = await timeline(api, record)

    assert told["bins"] == 30
    assert told["lanes"][0]["runs"] == [[0, 4, 5], [10, 14, 5], [20, 24, 5]]


async def test_a_pending_job_has_no_lanes_yet(api, make):
    told = await timeline(api, await api.put(make.a_record()))

    assert (told["attempt"], told["complete"], told["total_frames"], told["lanes"]) == (0, False, 0, [])


class HeldRows:
    """The rows of 100 frames, once the test lets them come; counts how often they are read."""

    def __init__(self, monkeypatch, *, held=False):
        self.reads = []
        self.go = asyncio.Event()
        if not held:
            self.go.set()
        monkeypatch.setattr(timelines, "read_rows", self.read_rows)

    async def read_rows(self, store, record):
        self.reads.append(record.job_id)
        await self.go.wait()
        for one in rows(0, 100):
            yield one


async def test_rows_are_read_once_whatever_bins_are_asked_for(api, make, monkeypatch):
    record = await ended_job(api, make, 100)
    read = HeldRows(monkeypatch)

    told = [await timeline(api, record, bins=bins) for bins in (10, 11, 100, 2000, 10)]

    assert read.reads == [record.job_id]
    assert [each["bins"] for each in told] == [10, 11, 100, 100, 10]
    assert [each["lanes"][0]["runs"][0] for each in told] == [[0, 9, 50], [0, 10, 50], [0, 4, 5], [0, 4, 5], [0, 9, 50]]
    assert told[0] == told[-1]


async def test_requests_at_the_same_time_share_one_reading(api, make, monkeypatch):
    record = await ended_job(api, make, 100)
    read = HeldRows(monkeypatch)

    await asyncio.gather(*(timeline(api, record, bins=bins) for bins in range(1, 9)))

    assert read.reads == [record.job_id]


async def test_more_requests_than_may_wait_are_refused_until_others_are_answered(api, make, monkeypatch):
    monkeypatch.setattr(timelines, "MAX_ASKED", 3)
    records = [await ended_job(api, make, 100) for _ in range(4)]
    read = HeldRows(monkeypatch, held=True)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(timeline(api, record)) for record in records[:3]]
        await eventually(lambda: len(read.reads) == timelines.AT_ONCE and api.state.timelines.asked == 3)
        refused = await api.http.get(f"/v1/jobs/{records[3].job_id}/result/timeline")
        read.go.set()

    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" in refused.headers
    assert [each.result()["lanes"][0]["detections"] for each in waiting] == [50] * 3
    assert (await timeline(api, records[3]))["job_id"] == records[3].job_id


async def test_what_is_kept_stays_below_its_limit(api, make):
    api.state.timelines._kept_bytes = 2000

    for _ in range(5):
        await timeline(api, await ended_job(api, make, 100))

    kept = api.state.timelines._kept
    assert len(kept) in range(1, 5)
    assert sum(map(len, kept.values())) <= 2000


async def test_a_job_whose_rows_are_gone_is_unknown(api, make):
    record = await ended_job(api, make, 100)
    for path in await api.store.list("jobs/"):
        await api.store.delete(path)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result/timeline")

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


async def test_memory_does_not_grow_with_the_rows(api, make):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    padded = [orjson.dumps({"frame_index": n, "detections": {"cars": [CAR], "pad": "x" * 10_000}}) for n in range(4000)]
    for first in range(0, 4000, 200):
        await write_segment(api.store, record.job_id, 1, first, padded[first : first + 200])
    record = await api.put(moves.cancelled(moves.progressed(record, make.NOW, end_frame=4000), make.NOW))
    del padded
    tracemalloc.start()

    told = await timeline(api, record)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert told["lanes"][0]["detections"] == 4000
    assert peak < 20_000_000, "half of the rows"


@pytest.mark.parametrize("bins", [0, 2001, "many"])
async def test_bins_out_of_range_are_refused(api, make, bins):
    record = await api.put(make.a_record())

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result/timeline", params={"bins": bins})

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
