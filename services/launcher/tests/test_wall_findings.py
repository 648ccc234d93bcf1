"""What doctor says about each part of the wall."""

import os

import pytest

from forgesyte_contracts.plugins import SandboxPolicy
from forgesyte_launcher.wall_findings import wall_findings
from forgesyte_sandbox.parent.wall.wall_settings import WallSettings

WALLED = SandboxPolicy(
    word="walled", landlock_abi=6, landlock_handles=("execute", "read_file"), seccomp=True, no_new_privs=True,
    tcp="landlock and seccomp", signals="landlock", uid=60600, uid_is_exclusive=True,
    limits={"core": 0, "nofile": 1024},
)  # fmt: skip
LESS = WallSettings(allow_degraded_sandbox=True)


def found(policy: SandboxPolicy, settings: WallSettings | None = None, **changes: object) -> dict[str, tuple[str, str]]:
    findings = wall_findings(policy.model_copy(update=changes), settings or WallSettings())
    assert all(each.remedy for each in findings if each.verdict != "ok" and each.name != "weaker here")
    return {each.name: (each.verdict, each.found) for each in findings}


def test_a_whole_wall_is_all_ok():
    shown = found(WALLED)

    assert {verdict for verdict, _ in shown.values()} == {"ok"}
    assert shown["landlock"][1] == "version 6; it decides on execute, read_file"
    assert shown["uid for each sandbox"][1] == "in force, from the range 60600-61099"
    assert shown["sandbox limits"][1] == "core 0, nofile 1024"


def test_what_seccomp_does_below_a_version_of_landlock_is_ok_and_said():
    shown = found(WALLED, landlock_abi=1, tcp="seccomp", signals="uid")

    assert shown["connections"] == ("ok", "held back by seccomp; Landlock does it from version 4 on")
    assert shown["signals"] == ("ok", "held back by uid; Landlock does it from version 6 on")


@pytest.mark.parametrize(
    ("settings", "verdict"), [(WallSettings(), "fail"), (LESS, "warn")], ids=["refused", "allowed"]
)
def test_a_missing_part_fails_unless_less_is_allowed(settings, verdict):
    nothing = {"landlock_abi": 0, "uid_is_exclusive": False, "seccomp": False, "no_new_privs": False}

    shown = found(WALLED, settings, **nothing, tcp="nothing", signals="nothing", word="degraded")

    missing = ("landlock", "seccomp", "no_new_privs in a sandbox", "uid for each sandbox", "connections", "signals")
    assert {shown[name][0] for name in missing} == {verdict}


def test_a_uid_for_each_sandbox_stands_in_for_landlock():
    assert found(WALLED, landlock_abi=0)["landlock"][0] == "warn"


def test_why_there_is_no_uid_for_each_sandbox_is_said(monkeypatch):
    facts = {"uid_is_exclusive": False, "uid": 1000, "no_uid": "the reason"}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    verdict, text = found(WALLED, **facts)["uid for each sandbox"]
    assert (verdict, text) == ("ok", "sandboxes run under uid 1000, as the service does, because the reason")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(WALLED, **facts)["uid for each sandbox"][0] == "warn"
    assert found(WALLED, WallSettings(sandbox_uids="none"), **facts)["uid for each sandbox"][0] == "warn"


def test_a_closed_folder_and_gaps_are_warnings():
    shown = found(WALLED, searches=True, gaps=("the gap; the remedy",))

    assert shown["closed folder"][0] == "warn"
    assert shown["weaker here"] == ("warn", "the gap; the remedy")


def test_a_wall_that_is_switched_off_is_one_warning():
    assert found(SandboxPolicy(word="off"), LESS)["wall"][0] == "warn"
