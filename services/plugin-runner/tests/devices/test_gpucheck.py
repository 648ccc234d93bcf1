"""The two real questions about a GPU, put to substitutes that answer in every way: real processes, real kills."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from forgesyte_plugin_runner.devices.gpucheck import ask_smi, ask_torch
from tests.support import alive, eventually
from tests.support.stack import command_of

TORCHES = {
    "yes": ("class cuda:\n    is_available = staticmethod(lambda: True)\n", None),
    "no": ("class cuda:\n    is_available = staticmethod(lambda: False)\n", "torch.cuda.is_available() is False"),
    "raises": ("raise ImportError('libcudart.so')\n", "torch could not be queried (exit code 1)"),
    "crashes": ("import os\nos.abort()\n", "torch could not be queried (exit code -6)"),
    "talks first": ("print('hello')\nclass cuda:\n    is_available = staticmethod(lambda: True)\n", None),
}


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a torch or an nvidia-smi of the test's own where it is looked for."""

    def put(name: str, text: str) -> None:
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o755)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return put


@pytest.mark.parametrize(("text", "answer"), TORCHES.values(), ids=TORCHES)
async def test_torch_is_asked_in_a_child_whatever_it_does(stand_in, text, answer):
    stand_in("torch.py", text)

    assert await ask_torch() == answer


async def test_the_child_is_given_none_of_this_process_s_secrets(stand_in, monkeypatch):
    monkeypatch.setenv("FORGESYTE_RUNNER_BUS_TOKEN", "secret")
    stand_in("torch.py", "import os\nclass cuda:\n    is_available = lambda: 'secret' not in os.environ.values()\n")

    assert await ask_torch() is None


@pytest.mark.parametrize("code", [0, 9], ids=["well", "no driver"])
async def test_the_driver_s_tool_is_believed_by_its_exit_code(stand_in, code):
    stand_in("nvidia-smi", f"#!/bin/sh\nexit {code}\n")

    assert await ask_smi() == (None if code == 0 else "nvidia-smi ended with exit code 9")


async def test_a_driver_that_hangs_is_given_up_and_its_tool_killed(stand_in, tmp_path):
    os.mkfifo(tmp_path / "never")
    stand_in("nvidia-smi", f"#!/bin/sh\nread -r line < {tmp_path}/never\n")

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask_smi(limit_s=2.0))
        (tool,) = await eventually(lambda: [each for each in children() if runs(each, tmp_path)], what="the tool runs")

    assert asking.result() == "nvidia-smi did not answer within 2 s"
    assert not alive([tool])


def children() -> list[psutil.Process]:
    return psutil.Process().children()


def runs(process: psutil.Process, folder: Path) -> bool:
    return str(folder / "nvidia-smi") in command_of(process)


async def test_a_machine_without_the_tool_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert await ask_smi() == "nvidia-smi was not found"
