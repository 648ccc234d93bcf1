"""Plugins and interpreters beneath folders that are closed to other users, as a clone in root's home is."""

import os
import shutil
from pathlib import Path

import pytest

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sandbox.shared.wall_rules import WallRules

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's sandboxes have uids of their own")

PLUGIN = Path(__file__).parent / "plugins" / "sandbox_plugins.py"


@pytest.fixture
def closed_folder(tmp_path):
    """A folder with mode 0700 that holds a plugin."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    shutil.copy(PLUGIN, folder / "closed_plugins.py")
    return folder


def job(clip):
    return Order(JobSpec("closed_plugins:Good", ["measure"], str(clip), "job-1"), Limits())


async def test_a_plugin_beneath_a_folder_of_mode_0700_runs_under_a_uid_of_its_own(closed_folder, clip):
    async with Zygote.start(env={"PYTHONPATH": str(closed_folder)}) as zygote:
        outcome = await zygote.run(job(clip))

    assert outcome.ok, outcome
    assert zygote.policy.uid_is_exclusive
    assert zygote.policy.searches, "it reaches the folder by CAP_DAC_READ_SEARCH alone"


async def test_without_landlock_no_sandbox_keeps_that_capability(closed_folder):
    rules = WallRules(landlock_abi=0, is_required=False)
    async with Zygote.start(env={"PYTHONPATH": str(closed_folder)}, wall=rules) as zygote:
        policy = zygote.policy

    assert not policy.searches
    assert not policy.uid_is_exclusive
    assert policy.word == "degraded"
    assert "closed to other users" in policy.no_uid
