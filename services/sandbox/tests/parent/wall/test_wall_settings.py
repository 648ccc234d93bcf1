"""How an operator spells the wall, and what a service builds from it."""

import os

import pytest
from pydantic import ValidationError

from forgesyte_sandbox.parent.wall.wall_settings import WallSettings
from forgesyte_sandbox.shared.wall_rules import FIRST_UID, LAST_UID, WallRules


def test_without_a_word_of_the_operator_everything_is_built_and_required():
    assert WallSettings().wall_rules() == WallRules(uids=(FIRST_UID, LAST_UID), is_required=True)


def test_what_the_operator_says_is_built():
    settings = WallSettings(allow_degraded_sandbox=True, sandbox_landlock_abi=3, sandbox_uids="70000 - 70009")

    assert settings.wall_rules() == WallRules(landlock_abi=3, uids=(70000, 70009), is_required=False)


def test_none_leaves_sandboxes_the_uid_of_the_service():
    assert WallSettings(sandbox_uids="none").wall_rules().uids is None


def test_the_wall_is_switched_off_only_together_with_the_permission_to_be_degraded():
    with pytest.raises(ValidationError, match="set allow_degraded_sandbox=true as well"):
        WallSettings(sandbox_wall="off")

    assert WallSettings(sandbox_wall="off", allow_degraded_sandbox=True).wall_rules().is_off


@pytest.mark.parametrize("text", ["", "0-5", "9-5", "a-b", "60600", "1-99999999999"])
def test_a_range_of_uids_that_cannot_be_read_is_refused_with_an_example(text):
    with pytest.raises(ValidationError, match=f"expected a range of uids such as {FIRST_UID}-{LAST_UID}, or none"):
        WallSettings(sandbox_uids=text)


def test_private_folders_are_those_of_the_service_and_of_the_operator_without_symlinks(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    settings = WallSettings(private_dirs=os.pathsep.join(map(str, (tmp_path / "link", tmp_path / "more"))))

    rules = settings.wall_rules(private=(tmp_path / "own",))

    real = tmp_path.resolve()
    assert rules.private == tuple(str(real / name) for name in ("more", "own", "real"))
