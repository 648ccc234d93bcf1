import asyncio

import pytest

from forgesyte_plugin_runner.attempt.rows.rowbuffer import BUFFER_BYTES, SEGMENT_BYTES, BufferedRow, RowBuffer


def a_row(index):
    return BufferedRow(index, b"{}", 40_000 * index)


async def test_a_full_buffer_holds_the_sender_until_rows_are_taken():
    buffer = RowBuffer(segment_rows=2, buffer_rows=2)
    await buffer.put(a_row(0))
    await buffer.put(a_row(1))

    async with asyncio.TaskGroup() as group:
        held = group.create_task(buffer.put(a_row(2)))
        await asyncio.sleep(0)
        assert not held.done()
        assert [row.frame_index for row in buffer.take()] == [0, 1]

    assert buffer.take() == [a_row(2)]


@pytest.mark.parametrize("size", [SEGMENT_BYTES, BUFFER_BYTES], ids=["segment", "buffer"])
async def test_large_rows_make_small_segments(size):
    buffer = RowBuffer(segment_rows=200)
    await buffer.put(BufferedRow(0, b"x" * size, 0))
    await buffer.wait_due(10)

    assert len(buffer.take()) == 1


async def test_closing_makes_the_rest_due_and_takes_nothing_more():
    buffer = RowBuffer()
    await buffer.put(a_row(0))

    buffer.close()
    await buffer.put(a_row(1))

    await buffer.wait_due(10)
    assert buffer.take() == [a_row(0)]
    assert buffer.take() == []


async def test_a_held_sender_is_let_go_when_the_buffer_closes():
    buffer = RowBuffer(buffer_rows=1)
    await buffer.put(a_row(0))

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(buffer.put(a_row(1)))
        await asyncio.sleep(0)
        buffer.close()

    assert buffer.take() == [a_row(0)]
