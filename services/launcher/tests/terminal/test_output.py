import asyncio

import pytest

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import ExitCode, Interrupted, run_command, show_error, table, unless_stopped


async def forever() -> None:
    await asyncio.Event().wait()


async def test_work_that_ends_gives_its_answer():
    async def work() -> int:
        return 7

    assert await unless_stopped(asyncio.Event(), work()) == 7


async def test_a_stop_cancels_the_work():
    stopping = asyncio.Event()
    stopping.set()

    with pytest.raises(Interrupted):
        await unless_stopped(stopping, forever())


async def test_a_fault_of_the_work_is_raised():
    async def work() -> None:
        raise ValueError("from the work")

    with pytest.raises(ExceptionGroup) as caught:
        await unless_stopped(asyncio.Event(), work())

    assert caught.group_contains(ValueError, match="from the work")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code.PLUGIN_UNKNOWN, ExitCode.USAGE),
        (Code.TOOL_UNKNOWN, ExitCode.USAGE),
        (Code.SERVICE_UNAVAILABLE, ExitCode.FAILED),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(code, expected, capsys):
    assert show_error(ForgeSyteError(code, "What [was] wrong.")) is expected
    assert capsys.readouterr().err == "error: What [was] wrong.\n"


def test_an_error_deep_inside_task_groups_is_shown_as_its_sentence(capfd):
    async def main(_) -> ExitCode:
        async with asyncio.TaskGroup() as outer, asyncio.TaskGroup():
            outer.create_task(unless_stopped(asyncio.Event(), refuse()))
            await forever()
        return ExitCode.OK

    async def refuse() -> None:
        raise ForgeSyteError(Code.TOOL_UNKNOWN, "No such tool.")

    assert run_command(main, name="test", settings=LauncherSettings()) is ExitCode.USAGE
    assert capfd.readouterr().err == "error: No such tool.\n"


def test_a_table_in_a_pipe_is_neither_cut_nor_wrapped_nor_taken_for_markup(capsys):
    table("name", rows=[("[b]" + "x" * 300,)])

    assert "[b]" + "x" * 300 in capsys.readouterr().out
