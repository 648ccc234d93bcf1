import asyncio

from forgesyte_launcher.stack.logfiles import follow, last_lines, rotate
from tests.support import eventually


def test_a_large_log_is_rotated_and_the_old_one_is_kept(tmp_path):
    log = tmp_path / "runner.log"
    log.write_text("x" * 11)

    rotate(log, limit_bytes=10)

    assert not log.exists()
    assert (tmp_path / "runner.log.1").read_text() == "x" * 11


def test_a_small_log_is_continued(tmp_path):
    log = tmp_path / "runner.log"
    log.write_text("x" * 10)

    rotate(log, limit_bytes=10)

    assert log.exists()


def test_the_last_lines_of_a_long_log_are_returned(tmp_path):
    log = tmp_path / "runner.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))

    assert last_lines(log, count=2) == ["line 99998", "line 99999"]


def test_a_missing_log_has_no_lines(tmp_path):
    assert last_lines(tmp_path / "none.log") == []


async def test_following_shows_what_is_written_from_now_on_line_by_line(tmp_path):
    log, shown = tmp_path / "runner.log", []
    log.write_text("before\n")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(follow(log, shown.append))
        await asyncio.sleep(0)
        with log.open("a") as handle:
            handle.write("one\ntwo\nhal")
            handle.flush()
            await eventually(lambda: len(shown) == 2, what="two lines")
            handle.write("f\n")
            handle.flush()
            await eventually(lambda: len(shown) == 3, what="the third line")
        task.cancel()

    assert shown == ["one", "two", "half"]
