"""What a process may do after it has given up what it does not need; each in a process of its own."""

import os
import subprocess
import sys

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to hand out capabilities")

SEARCH, ADMIN = 2, 21
OTHER = 60998
_TRIAL = """
import os
from forgesyte_sandbox.child.wall.privileges import drop_to
from forgesyte_sandbox.shared import kernel
{before}
drop_to({uid}, keeps_search={keeps})
lines = open("/proc/self/status").read().splitlines()
print(os.getuid(), *(line.split()[1] for line in lines if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb"))))
"""
_A_USER_WITH_CAPABILITIES = f"""
kernel.keep_capabilities()
os.setresuid({OTHER}, {OTHER}, {OTHER})
kernel.set_capabilities(frozenset({{{{{SEARCH}, {ADMIN}}}}}))
"""


def dropped(*, uid, keeps=False, before=""):
    """Return the uid afterwards, and the sets of capabilities as numbers."""
    trial = _TRIAL.format(before=before.format(), uid=uid, keeps=keeps)
    said = subprocess.run([sys.executable, "-c", trial], capture_output=True, text=True, check=True).stdout.split()
    return int(said[0]), {int(text, 16) for text in said[1:]}


@needs_root
def test_a_user_of_a_container_hands_none_of_its_capabilities_on():
    assert dropped(uid=None, before=_A_USER_WITH_CAPABILITIES) == (OTHER, {0})


@needs_root
def test_root_without_uids_to_give_hands_none_on_either():
    assert dropped(uid=None) == (0, {0})


@needs_root
@pytest.mark.parametrize(("keeps", "mask"), [(False, 0), (True, 1 << SEARCH)])
def test_a_uid_of_its_own_keeps_the_search_alone_and_only_when_asked(keeps, mask):
    assert dropped(uid=OTHER, keeps=keeps) == (OTHER, {mask})
