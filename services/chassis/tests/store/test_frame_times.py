"""When the frames of a job are shown, as far as its record says that its rows count."""

from array import array

import orjson
import pytest

from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_chassis.store.frame_times import read_times
from forgesyte_chassis.store.rowfile import RowsDamaged
from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_chassis.store.segments import merge_segments, read_rows, write_segment
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.subjects import result_rows_blob, segment_blob

from .one_job import JOB, a_record, completed


def time_of(frame, attempt=1):
    return attempt * 1_000_000 + frame * 40_000


async def write(store, *spans, attempt=1, without=(), pad=0, is_timed=True):
    for first, end in spans:
        frames = [frame for frame in range(first, end) if frame not in without]
        rows = [orjson.dumps({"frame_index": frame, "pad": "x" * pad}) for frame in frames]
        times = FrameTimes.of((frame, time_of(frame, attempt)) for frame in frames)
        await write_segment(store, JOB, attempt, first, rows, times if is_timed else None)


async def both(store, record, **where):
    """The times of the segments, which must be those of the merged result."""
    running = await read_times(store, record, **where)
    await merge_segments(store, record)
    assert await read_times(store, completed(record), **where) == running
    return running


def expected(frames, attempt=1):
    return FrameTimes.of((frame, time_of(frame, attempt)) for frame in frames)


async def test_times_are_read_in_frame_order(store):
    await write(store, (200, 1000), (0, 200), (1000, 1001))

    assert await both(store, a_record((1, 0, 1001))) == expected(range(1001))


async def test_rows_of_a_megabyte_each_have_their_times_too(store):
    await write(store, (0, 4), (4, 6), pad=1024 * 1024)

    assert await both(store, a_record((1, 0, 6))) == expected(range(6))


async def test_times_of_rows_that_are_not_committed_are_left_out(store):
    await write(store, (0, 10), (10, 20), (20, 30))
    await write(store, (0, 30), attempt=2)

    assert await both(store, a_record((1, 0, 15))) == expected(range(15))


async def test_times_of_several_attempts_follow_each_other(store):
    await write(store, (0, 10), (10, 20), attempt=1)
    await write(store, (10, 25), attempt=3)

    found = await both(store, a_record((1, 0, 10), (3, 10, 25)))

    assert found.time_us == expected(range(10)).time_us + expected(range(10, 25), 3).time_us


async def test_frames_that_were_skipped_have_no_times(store):
    await write(store, (0, 20), without=(0, 7, 10))

    assert await both(store, a_record((1, 0, 20))) == expected([*range(1, 7), 8, 9, *range(11, 20)])


@pytest.mark.parametrize(
    ("where", "frames"),
    [
        ({"from_frame": 9, "limit": 3}, [9, 11, 12]),
        ({"from_frame": 10, "limit": 1}, [11]),
        ({"from_frame": 29}, [29]),
        ({"from_frame": 30}, []),
        ({"from_frame": 400, "limit": 5}, []),
        ({"limit": 10}, range(10)),
        ({"limit": 1000}, [*range(10), *range(11, 30)]),
    ],
    ids=str,
)
async def test_reading_begins_and_ends_where_it_is_asked_to(store, where, frames):
    await write(store, (0, 10), (10, 20), (20, 30), without=(10,))

    assert await both(store, a_record((1, 0, 30)), **where) == expected(frames)


async def test_a_job_without_rows_has_no_times(store):
    await write(store, (0, 10))

    assert await both(store, a_record()) == FrameTimes(array("I"), array("q"))


async def test_no_times_are_given_where_some_rows_were_stored_without(store):
    """A job that an older version began and this one went on with."""
    await write(store, (0, 10), is_timed=False)
    await write(store, (10, 20), attempt=2)
    record = a_record((1, 0, 10), (2, 10, 20))

    assert await both(store, record) is None
    assert await both(store, record, from_frame=10) == expected(range(10, 20), 2)
    assert len([row async for row in read_rows(store, completed(record))]) == 20


async def test_times_are_read_without_the_rows(store, monkeypatch):
    await write(store, *((first, first + 200) for first in range(0, 4000, 200)), pad=5000)
    record = a_record((1, 0, 4000))
    await merge_segments(store, record)
    read, real = [], store.get_range

    async def get_range(path, start, end):
        read.append(end - start)
        return await real(path, start, end)

    monkeypatch.setattr(store, "get_range", get_range)

    assert await read_times(store, completed(record)) == expected(range(4000))
    assert sum(read) < 64 * 1024


async def test_damaged_times_are_told_as_such(store):
    await write(store, (0, 10))
    path = segment_blob(JOB, 1, 0)
    data = bytearray(await store.get(path))
    data[-100] ^= 1
    await store.put(path, bytes(data))

    with pytest.raises(RowsDamaged, match="times"):
        await read_times(store, a_record((1, 0, 10)))


async def test_a_result_that_is_gone_is_told_as_such(store):
    with pytest.raises(BlobMissing, match=result_rows_blob(JOB, 0)):
        await read_times(store, a_record((1, 0, 10), status=JobStatus.COMPLETED))
