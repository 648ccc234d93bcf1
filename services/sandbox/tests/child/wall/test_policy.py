"""What the policy says of a wall that is lower than the kernel allows."""

import os

import pytest

from forgesyte_sandbox.child.wall import landlock
from forgesyte_sandbox.child.wall.foundation import Foundation
from forgesyte_sandbox.child.wall.policy import Built, read_back
from forgesyte_sandbox.shared.wall_rules import WallRules


def gaps(rules: WallRules, *, used: int, kernel: int) -> tuple[str, ...]:
    return read_back(Built(Foundation(rules, os.getpid(), used, kernel), False, False)).gaps


def test_a_setting_that_limits_landlock_is_named_with_what_the_kernel_has():
    [gap] = gaps(WallRules(landlock_abi=1), used=1, kernel=4)

    limit = "Landlock is limited to version 1 by the setting sandbox_landlock_abi"
    assert gap == f"{limit}, and the kernel has 4; remove the setting"


@pytest.mark.parametrize(
    ("rules", "used", "kernel"),
    [
        pytest.param(WallRules(), 4, 4, id="the kernel's version"),
        pytest.param(WallRules(), landlock.LATEST_ABI, landlock.LATEST_ABI + 2, id="a kernel newer than the wall"),
        pytest.param(WallRules(landlock_abi=6), 4, 4, id="a setting above the kernel's version"),
        pytest.param(WallRules.off(), 0, 0, id="no wall"),
    ],
)
def test_nothing_is_said_where_no_setting_limits_it(rules, used, kernel):
    assert gaps(rules, used=used, kernel=kernel) == ()
