import asyncio

import pytest

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.commands.command_runs import ExitCode, run_command, show_error
from forgesyte_launcher.interruption import unless_stopped
from forgesyte_launcher.settings import LauncherSettings


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
            await asyncio.Event().wait()
        return ExitCode.OK

    async def refuse() -> None:
        raise ForgeSyteError(Code.TOOL_UNKNOWN, "No such tool.")

    assert run_command(main, name="test", settings=LauncherSettings()) is ExitCode.USAGE
    assert capfd.readouterr().err == "error: No such tool.\n"
