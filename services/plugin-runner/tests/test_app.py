"""The order in which a runner opens what it works with."""

import asyncio

import pytest

from forgesyte_chassis.main import Lifetime
from forgesyte_plugin_runner.app import serve
from forgesyte_plugin_runner.settings import RunnerSettings


class Looked(Exception):
    pass


async def test_survivors_of_a_dead_runner_are_ended_before_its_folders_are_swept(tmp_path, monkeypatch):
    async def look(_wall):
        raise Looked

    monkeypatch.setattr("forgesyte_plugin_runner.app.end_survivors", look)
    async with asyncio.TaskGroup() as group:
        with pytest.raises(Looked):
            await serve(Lifetime(group), RunnerSettings(scratch_dir=str(tmp_path / "scratch")))

    assert not (tmp_path / "scratch").exists()
