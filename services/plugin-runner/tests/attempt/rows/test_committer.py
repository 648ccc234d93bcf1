"""Rows on their way into a real store, and a store that refuses them for a while or for good."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_chassis.store.segments import read_rows, write_segment
from forgesyte_contracts import moves, subjects
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.results import INLINE_RESULT_BYTES
from forgesyte_plugin_runner.attempt.rows.committer import Committer
from forgesyte_plugin_runner.attempt.rows.rowbuffer import BufferedRow, RowBuffer
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_plugin_runner.attempt.store_retry import PatientStore
from forgesyte_plugin_runner.attempt.stored_result import RowsMissing, write_result
from forgesyte_plugin_runner.stopping import Stop, StopReason
from forgesyte_sandbox.shared.messages import Row
from tests.support import eventually

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TIMES = FrameTimes.of((index, 40_000 * index) for index in range(200))


class Desk:
    """A committer with everything it works on."""

    def __init__(self, folder: Path, *, patience_s: float = 30.0) -> None:
        fresh = JobRecord(job_id=new_job_id(), plugin_id="p", tools=("t",), created_at=NOW, updated_at=NOW)
        self.record = moves.claimed(fresh, "runner", NOW)
        self.folder = folder
        self.store = Store.open(str(folder))
        self.buffer = RowBuffer(segment_rows=200)
        self.state = AttemptState(self.record)
        self.stop = Stop()
        self.committer = Committer(
            storage=PatientStore(self.store, patience_s, SystemClock()),
            job_id=JobId(self.record.job_id),
            attempt=1,
            buffer=self.buffer,
            state=self.state,
            stop=self.stop,
            on_commit=lambda: None,
        )

    async def fill(self, rows: int, *, padding: int = 0) -> None:
        for index in range(rows):
            row = orjson.dumps({"frame_index": index, "detections": "x" * padding})
            self.state.take(Row(index, row))
            await self.buffer.put(BufferedRow(index, row, 40_000 * index))

    def committed(self) -> JobRecord:
        return self.state.apply(self.record, NOW)

    def block(self) -> Path:
        """Put a file where the store wants a folder: every write of a segment fails until it is gone."""
        folder = self.folder / subjects.segment_folder(JobId(self.record.job_id))
        folder.parent.mkdir(parents=True)
        folder.touch()
        return folder


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_rows_become_segments_of_two_hundred_and_the_rest(desk):
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.committer.run())
        await desk.fill(450)
        desk.buffer.close()

    segments = await desk.store.list(subjects.segment_folder(JobId(desk.record.job_id)))
    assert sorted(subjects.parse_segment(path) for path in segments) == [(1, 0), (1, 200), (1, 400)]
    rows = [orjson.loads(row)["frame_index"] async for row in read_rows(desk.store, desk.committed())]
    assert rows == list(range(450))


async def test_a_store_that_refuses_for_a_while_loses_no_row(desk):
    blocker = desk.block()

    async with asyncio.TaskGroup() as group:
        group.create_task(desk.committer.run())
        await desk.fill(200)
        await eventually(lambda: not len(desk.buffer), what="the segment is on its way")
        blocker.unlink()
        desk.buffer.close()

    assert desk.stop.reason is None
    assert len([row async for row in read_rows(desk.store, desk.committed())]) == 200


async def test_a_store_that_refuses_for_good_gives_the_job_back(tmp_path):
    desk = Desk(tmp_path, patience_s=0.0)
    desk.block()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(desk.committer.run())
        await desk.fill(200)

    assert desk.stop.reason is StopReason.FAULT
    assert desk.buffer.is_closed


async def test_a_segment_whose_answer_was_lost_counts_as_our_own(desk):
    await desk.fill(200)
    rows = [orjson.dumps({"frame_index": index, "detections": ""}) for index in range(200)]
    await write_segment(desk.store, JobId(desk.record.job_id), 1, 0, rows, TIMES)
    desk.buffer.close()

    await desk.committer.run()

    assert desk.stop.reason is None
    assert desk.state.committed_end == 200


async def test_rows_that_another_life_of_this_attempt_wrote_end_the_attempt(desk):
    """Its number was issued twice; the next attempt has another one."""
    await write_segment(desk.store, JobId(desk.record.job_id), 1, 0, [b'{"frame_index":0,"of":"another time"}'])
    await desk.fill(200)
    desk.buffer.close()

    await desk.committer.run()

    assert desk.stop.reason is StopReason.RELEASED
    assert desk.state.committed_end == 0


async def test_a_result_with_other_rows_than_were_made_is_refused(desk):
    await desk.fill(10)
    desk.buffer.close()
    await desk.committer.run()
    desk.state.counts.add(Row(10, b"{}"))

    with pytest.raises(RowsMissing, match="made 11 rows and the store holds 10"):
        await write_result(desk.store, desk.committed())


async def test_a_fenced_attempt_writes_no_more_segments(desk):
    desk.stop.ask(StopReason.FENCED)
    await desk.fill(3)
    desk.buffer.close()

    await desk.committer.run()

    assert await desk.store.list(subjects.segment_folder(JobId(desk.record.job_id))) == []


async def test_the_result_document_is_cut_at_its_limit_and_the_merged_rows_are_not(desk):
    await desk.fill(300, padding=2000)
    desk.buffer.close()
    await desk.committer.run()

    await write_result(desk.store, desk.committed())

    document = await desk.store.get(subjects.result_blob(JobId(desk.record.job_id), desk.record.attempt))
    result = orjson.loads(document)
    assert result["truncated"]
    assert len(document) <= INLINE_RESULT_BYTES + 1000
    assert [row["frame_index"] for row in result["frames"]] == list(range(len(result["frames"])))
    done = moves.completed(desk.committed(), NOW)
    assert len([row async for row in read_rows(desk.store, done)]) == 300
