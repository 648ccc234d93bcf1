"""Load failures: a load() that raises, hangs or dies makes the plugin FAILED with its first job; options never do."""

import os
import signal
from pathlib import Path

import pytest

from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from forgesyte_contracts.plugins import PluginState
from tests.stability.jobs import install, job_runner
from tests.support import eventually, meeting_point

CODE = '''
import ctypes
import os
import threading
from pathlib import Path

from pydantic import field_validator

from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput


class PickyOptions(ToolOptions):
    colour: str = "red"

    @field_validator("colour")
    @classmethod
    def known(cls, value):
        return {"red": "red", "blue": "blue", "green": "green"}[value]


class Seen(ToolOutput):
    frame: int


class Seek(Tool[PickyOptions, Seen]):
    name = "seek"

    def __init__(self, plugin, options):
        super().__init__(plugin, options)
        if options.colour == "blue":
            raise RuntimeError("blue is for other videos")
        if options.colour == "green":
            os._exit(3)

    def process_frame(self, frame):
        return Seen(frame=frame.index)


class Picky(Plugin):
    name = "picky"
    version = "1.0.0"
    isolation = "ISOLATION"
    tools = (Seek,)


class Raises(Picky):
    name = "raises-in-load"

    def load(self, device):
        raise RuntimeError("the weights are of another version; fetch those of 2.0")


class Hangs(Picky):
    name = "hangs-in-load"

    def load(self, device):
        while True:
            pass


class Segfaults(Picky):
    name = "segfaults-in-load"

    def load(self, device):
        ctypes.string_at(0)


class Waits(Picky):
    """Loads when its test lets it."""

    name = "waits-in-load"

    def load(self, device):
        Path(Path(__file__).with_name("meeting-point").read_text()).write_text(str(os.getpid()))
        while not Path(__file__).with_name("go").exists():
            threading.Event().wait(0.01)
'''
PLUGINS = {
    "picky": "Picky", "raises_in_load": "Raises", "hangs_in_load": "Hangs", "segfaults_in_load": "Segfaults",
    "waits_in_load": "Waits",
}  # fmt: skip
NAMES = [name.replace("_", "-") for name in PLUGINS]
REASONS = {
    "raises-in-load": "RuntimeError: the weights are of another version; fetch those of 2.0",
    "hangs-in-load": "loading the plugin took longer than its limit of 3 s",
    "segfaults-in-load": "the sandbox was killed by SIGSEGV",
}
BAD_COLOURS = {"purple": "KeyError", "blue": "RuntimeError", "green": "crashed"}
"""What the options' check, the tool's constructor, and its death there come to."""

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("isolation", ["job", "plugin"])]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str) -> Path:
    """The plugins' folder, on the path of the runners of the test."""
    folder = tmp_path / "installed"
    install(folder, "loaders", CODE.replace("ISOLATION", isolation), **PLUGINS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))))
    return folder


async def test_the_first_job_whose_load_raises_hangs_or_dies_disables_the_plugin_also_with_options(
    tmp_path, clip, installed
):
    async with job_runner(tmp_path / "box", *NAMES, load_timeout_s=3) as runner:
        for plugin, words in REASONS.items():
            job_id = await runner.submit(clip.read_bytes(), plugin, "seek", colour="red")

            shown = await runner.until(plugin, PluginState.FAILED)

            assert words in shown.reason
            assert "reload the plugin" in shown.reason
            assert len((await runner.record(job_id)).attempts) == 1
        assert (await runner.done(clip.read_bytes(), "picky", "seek")).status is JobStatus.COMPLETED
        assert runner.is_alive()


async def test_options_that_break_a_tool_are_no_failure_of_load(tmp_path, clip, installed):
    async with job_runner(tmp_path / "box", "picky", load_timeout_s=3) as runner:
        for count, (colour, error_type) in enumerate(BAD_COLOURS.items(), start=1):
            record = await runner.done(clip.read_bytes(), "picky", "seek", colour=colour)
            assert (record.status, record.error_type) == (JobStatus.FAILED, error_type), record

            shown = await runner.status("picky")

            assert (shown.state, shown.reason, shown.error_count) == (PluginState.INITIALIZED, None, count)
        assert (await runner.done(clip.read_bytes(), "picky", "seek")).status is JobStatus.COMPLETED


async def test_a_sandbox_killed_from_outside_while_it_loads_disables_nothing(tmp_path, clip, installed):
    async with job_runner(tmp_path / "box", "waits-in-load") as runner:
        loading = meeting_point("loading")
        (installed / "meeting-point").write_text(str(loading))
        job_id = await runner.submit(clip.read_bytes(), "waits-in-load", "seek")
        pid = int(await eventually(lambda: loading.exists() and loading.read_text(), 60, "it loads"))

        os.kill(pid, signal.SIGKILL)
        (installed / "go").touch()

        record = await runner.ended(job_id)
        assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]
        assert (await runner.status("waits-in-load")).state is PluginState.INITIALIZED
