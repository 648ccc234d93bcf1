"""Landlock's rules, by the kernel itself: each in a process of its own, because they cannot be taken back."""

import os
import subprocess
import sys

import pytest

from forgesyte_sandbox.child.wall.landlock import BY_ABI, LATEST_ABI, Access, Right, kernel_abi

needs_landlock = pytest.mark.skipif(kernel_abi() == 0, reason="this kernel has no Landlock")

_TRIAL = """
import os, sys
from forgesyte_sandbox.child.wall.landlock import Access, Rule, make_ruleset, restrict_self
from forgesyte_sandbox.shared.kernel import refuse_new_privileges
refuse_new_privileges()
restrict_self(make_ruleset([Rule(sys.argv[2], Access[sys.argv[3]])], int(sys.argv[1])))
try:
    {act}
except OSError as error:
    print(type(error).__name__)
else:
    print("done")
"""


def tried(act, folder, access, abi=1):
    command = [sys.executable, "-c", _TRIAL.format(act=act), str(abi), str(folder), access.name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@needs_landlock
@pytest.mark.parametrize("abi", range(1, kernel_abi() + 1 if kernel_abi() < LATEST_ABI else LATEST_ABI + 1))
def test_each_version_up_to_the_kernels_denies_what_no_rule_allows(tmp_path, abi):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "allowed").mkdir()

    assert tried(f"open({str(tmp_path / 'secret')!r})", tmp_path / "allowed", Access.READ, abi) == "PermissionError"
    assert tried(f"open({str(tmp_path / 'secret')!r})", tmp_path, Access.READ, abi) == "done"


@needs_landlock
@pytest.mark.parametrize(
    ("act", "access", "expected"),
    [
        ("open({0!r} + '/file', 'w')", Access.READ, "PermissionError"),
        ("open({0!r} + '/file', 'w')", Access.SCRATCH, "done"),
        ("os.mkdir({0!r} + '/folder')", Access.SCRATCH, "done"),
        ("os.mknod({0!r} + '/socket', 0o140600)", Access.SCRATCH, "PermissionError"),
        ("os.listdir({0!r})", Access.LIST, "done"),
        ("open({0!r} + '/there')", Access.LIST, "PermissionError"),
        ("open({0!r} + '/there', 'r+')", Access.FILE, "done"),
        ("open({0!r} + '/new', 'w')", Access.FILE, "PermissionError"),
        ("open({0!r} + '/new', 'w')", Access.SHARED_MEMORY, "done"),
        ("os.listdir({0!r})", Access.SHARED_MEMORY, "PermissionError"),
        ("os.execv({0!r} + '/there', ['x'])", Access.READ, "PermissionError"),
    ],
)
def test_each_access_allows_what_it_says(tmp_path, act, access, expected):
    (tmp_path / "there").write_text("#!/bin/true\n")
    (tmp_path / "there").chmod(0o755)

    assert tried(act.format(str(tmp_path)), tmp_path, access) == expected


@needs_landlock
def test_a_path_that_does_not_exist_allows_nothing_and_is_no_error(tmp_path):
    assert tried("open('/etc/hostname')", tmp_path / "missing", Access.READ) == "PermissionError"


_FORGOTTEN = """
import os
from forgesyte_sandbox.child.wall.landlock import Access, Rule, hold, make_ruleset, restrict_self
from forgesyte_sandbox.shared.kernel import refuse_new_privileges
paths = ("/proc/self", "/proc/meminfo")
for path in paths:
    hold(path)
refuse_new_privileges()
forget = os.open("/proc/sys/vm/drop_caches", os.O_WRONLY)
restrict_self(make_ruleset([Rule(path, Access.READ) for path in paths], 1))
os.write(forget, b"2")
print(len(open("/proc/self/status").read()) > 0, len(open("/proc/meminfo").read()) > 0)
"""


@needs_landlock
@pytest.mark.long
@pytest.mark.skipif(not os.access("/proc/sys/vm/drop_caches", os.W_OK), reason="only root can make the kernel forget")
def test_a_rule_on_proc_holds_when_the_kernel_has_forgotten_its_inodes():
    done = subprocess.run([sys.executable, "-c", _FORGOTTEN], capture_output=True, text=True, check=False)

    assert done.stdout == "True True\n", done.stderr


def test_a_version_handles_all_that_the_one_before_handles():
    for abi in range(2, LATEST_ABI + 1):
        before, now = BY_ABI[abi - 1], BY_ABI[abi]
        assert (before.rights & now.rights, before.net & now.net, before.scope & now.scope) == (
            before.rights,
            before.net,
            before.scope,
        )


def test_no_access_creates_devices_or_sockets():
    banned = Right.MAKE_BLOCK | Right.MAKE_CHAR | Right.MAKE_SOCK

    assert all(not access.value & banned for access in Access)
