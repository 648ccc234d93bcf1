import tracemalloc

import orjson
import pytest
import zstandard

from forgesyte_chassis.store import row_units
from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_chassis.store.rowfile import RowsDamaged
from forgesyte_chassis.store.segments import SegmentTaken, encode_segment, merge_segments, read_rows, write_segment
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.subjects import result_rows_blob, segment_blob

from .one_job import JOB, a_record, completed


def rows_of(first, end, attempt=1, pad=0):
    return [orjson.dumps({"frame_index": n, "attempt": attempt, "pad": "x" * pad}) for n in range(first, end)]


async def write(store, *spans, attempt=1, pad=0):
    for first, end in spans:
        await write_segment(store, JOB, attempt, first, rows_of(first, end, attempt, pad))


async def frames(store, record, **where):
    return [orjson.loads(row)["frame_index"] async for row in read_rows(store, record, **where)]


async def test_committed_rows_are_read_in_frame_order(store):
    await write(store, (200, 1000), (0, 200), (1000, 1001))  # by name 1000 would come before 200

    assert await frames(store, a_record((1, 0, 1001))) == list(range(1001))


async def test_rows_are_the_bytes_that_were_written(store):
    rows = [b'{"frame_index":0,"text":"\\u00fc \xc3\xbc","n":1.50}']
    await write_segment(store, JOB, 1, 0, rows)

    assert [row async for row in read_rows(store, a_record((1, 0, 1)))] == rows


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_a_job_that_is_not_completed_gives_the_rows_so_far(store, status):
    await write(store, (0, 10), (10, 20))

    assert await frames(store, a_record((1, 0, 20), status=status)) == list(range(20))


async def test_a_job_without_committed_rows_gives_none(store):
    await write(store, (0, 10))

    assert await frames(store, a_record()) == []
    assert await frames(store, a_record((1, 0, 0))) == []


async def test_segments_behind_the_committed_end_are_ignored(store):
    await write(store, (0, 10), (10, 20), (20, 30))

    assert await frames(store, a_record((1, 0, 20))) == list(range(20))


async def test_rows_of_a_segment_that_reaches_over_the_end_are_cut(store):
    await write(store, (0, 10), (10, 20))

    assert await frames(store, a_record((1, 0, 15))) == list(range(15))


async def test_segments_of_other_attempts_are_ignored(store):
    await write(store, (0, 10), (10, 20), attempt=1)
    await write(store, (0, 7), attempt=2)

    found = [orjson.loads(row) async for row in read_rows(store, a_record((2, 0, 7)))]

    assert [row["frame_index"] for row in found] == list(range(7))
    assert {row["attempt"] for row in found} == {2}


async def test_ranges_of_several_attempts_follow_each_other(store):
    await write(store, (0, 10), (10, 20), attempt=1)
    await write(store, (10, 25), attempt=3)
    record = a_record((1, 0, 10), (3, 10, 25))

    found = [orjson.loads(row) async for row in read_rows(store, record)]
    await merge_segments(store, record)

    assert [row["frame_index"] for row in found] == list(range(25))
    assert [row["attempt"] for row in found] == [1] * 10 + [3] * 15
    assert await frames(store, completed(record)) == list(range(25))


@pytest.mark.parametrize("merged", [False, True], ids=["segments", "merged"])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"from_frame": 0, "limit": 3}, [0, 1, 2]),
        ({"from_frame": 9, "limit": 3}, [9, 10, 11]),
        ({"from_frame": 10}, list(range(10, 30))),
        ({"from_frame": 29}, [29]),
        ({"from_frame": 30}, []),
        ({"from_frame": 400}, []),
        ({"limit": 0}, []),
        ({"limit": 10}, list(range(10))),
        ({"limit": 1000}, list(range(30))),
    ],
    ids=str,
)
async def test_reading_begins_and_ends_where_it_is_asked_to(store, where, expected, merged):
    await write(store, (0, 10), (10, 20), (20, 30))
    record = a_record((1, 0, 30))
    if merged:
        await merge_segments(store, record)
        record = completed(record)

    assert await frames(store, record, **where) == expected


async def test_frames_that_were_skipped_shift_nothing(store):
    rows = [row for row in rows_of(0, 20) if orjson.loads(row)["frame_index"] not in (0, 7, 10)]
    await write_segment(store, JOB, 1, 0, rows[:8])
    await write_segment(store, JOB, 1, 10, rows[8:])
    record = a_record((1, 0, 20))
    await merge_segments(store, record)

    for one in (record, completed(record)):
        assert await frames(store, one, from_frame=6) == [6, 8, 9, *range(11, 20)]
        assert await frames(store, one, from_frame=10) == list(range(11, 20))


async def test_merging_leaves_out_what_is_not_committed(store):
    await write(store, (0, 10), (10, 20), (20, 30))
    record = a_record((1, 0, 15))

    await merge_segments(store, record)

    assert await frames(store, completed(record)) == list(range(15))


async def test_a_merged_result_is_plain_zstd_to_other_tools(store):
    await write(store, (0, 10), (10, 20))
    await merge_segments(store, a_record((1, 0, 20)))

    data = await store.get(result_rows_blob(JOB, 0))
    text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()

    assert text.splitlines() == rows_of(0, 20)


async def test_merging_twice_gives_the_same_result(store):
    await write(store, (0, 10), (10, 20))
    record = a_record((1, 0, 20))
    await merge_segments(store, record)
    first = await store.get(result_rows_blob(JOB, 0))

    await merge_segments(store, completed(record))

    assert await store.get(result_rows_blob(JOB, 0)) == first


async def test_a_job_without_rows_merges_into_an_empty_result(store):
    await merge_segments(store, a_record())

    assert await frames(store, completed(a_record())) == []


async def test_rows_of_a_megabyte_each_go_through(store):
    await write(store, (0, 4), pad=1024 * 1024)
    record = a_record((1, 0, 4))
    await merge_segments(store, record)

    assert await frames(store, record) == await frames(store, completed(record)) == [0, 1, 2, 3]


async def test_from_frame_does_not_read_what_stands_before_it(store, monkeypatch):
    monkeypatch.setattr(row_units, "TAIL_BYTES", 1024)
    monkeypatch.setattr(row_units, "AHEAD_BYTES", 1)
    await write(store, *((n, n + 100) for n in range(0, 2000, 100)))
    record = a_record((1, 0, 2000))
    await merge_segments(store, record)
    read, real = [], row_units.unpack
    monkeypatch.setattr(row_units, "unpack", lambda data, entry: read.append(entry.first_frame) or real(data, entry))

    for one in (record, completed(record)):
        assert await frames(store, one, from_frame=1750, limit=10) == list(range(1750, 1760))

    assert read == [1700, 1700]


async def test_a_second_writer_of_the_same_segment_is_refused(store):
    await write(store, (0, 10))

    with pytest.raises(SegmentTaken, match="already has a segment at frame 0"):
        await write(store, (0, 5))

    assert await frames(store, a_record((1, 0, 10))) == list(range(10))


async def test_a_segment_that_is_there_with_these_very_rows_is_our_own(store):
    await write(store, (0, 10))

    await write(store, (0, 10))

    assert await frames(store, a_record((1, 0, 10))) == list(range(10))


async def test_merging_tells_how_many_rows_there_are(store):
    await write(store, (0, 10), (10, 20), (20, 30))

    assert await merge_segments(store, a_record((1, 0, 25))) == 25


async def test_segments_that_overlap_are_not_merged(store):
    """What another timeline of the same attempt left between ours must not end in the result."""
    await write(store, (0, 10), (10, 20), (5, 15))

    with pytest.raises(RowsDamaged):
        await merge_segments(store, a_record((1, 0, 20)))


async def test_an_attempt_that_lost_the_job_does_not_touch_the_result_of_the_one_that_ended_it(store):
    await write(store, (0, 10), attempt=1)
    await write(store, (0, 20), attempt=2)
    heir = a_record((2, 0, 20)).model_copy(update={"attempt": 2})
    await merge_segments(store, heir)

    await merge_segments(store, a_record((1, 0, 10)).model_copy(update={"attempt": 1}))

    assert await frames(store, completed(heir)) == list(range(20))


@pytest.mark.parametrize("rows", [[], rows_of(3, 5)], ids=["no rows", "rows before the first frame"])
def test_a_segment_that_could_not_be_found_again_is_refused(rows):
    with pytest.raises(ValueError, match="expected at least one row"):
        encode_segment(4, rows)


@pytest.mark.parametrize(
    "planted",
    [b"", b"not rows at all", zstandard.ZstdCompressor(3).compress(b"\n" * (64 * 1024 * 1024))],
    ids=["empty", "text", "bomb without index"],
)
async def test_a_planted_segment_is_refused(store, planted):
    await store.put(segment_blob(JOB, 1, 0), planted)

    with pytest.raises(RowsDamaged):
        await frames(store, a_record((1, 0, 10)))


async def test_a_result_that_is_gone_is_told_as_such(store):
    with pytest.raises(BlobMissing):
        await frames(store, a_record((1, 0, 10), status=JobStatus.COMPLETED))


@pytest.mark.slow
async def test_memory_stays_flat_for_100000_rows(store):
    """Rows of half a kilobyte: 50 MB of text; what one zstd frame needs is about two."""
    for first in range(0, 100_000, 200):
        await write_segment(store, JOB, 1, first, rows_of(first, first + 200, pad=500))
    record = a_record((1, 0, 100_000))

    tracemalloc.start()
    try:
        await merge_segments(store, record)
        counted = [0, 0]
        for place, one in enumerate((record, completed(record))):
            async for _ in read_rows(store, one):
                counted[place] += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert counted == [100_000, 100_000]
    assert peak < 8 * 1024 * 1024
