"""What `forgesyte doctor` says about the wall around plugin code: each part, what replaces a missing one, remedies.

It judges the policy that a sandbox read back from the kernel, and nothing that this process believes about it.
"""

import os
import sys

from forgesyte_contracts.plugins import SandboxPolicy
from forgesyte_launcher.terminal.findings import DoctorFinding, Verdict
from forgesyte_sandbox.parent.wall.wall_settings import WallSettings

AREA = "sandbox"
_SWITCH = "or accept less with --allow-degraded-sandbox, if you trust every plugin as you trust the service."
_LANDLOCK = (
    "use Linux 5.13 or newer with Landlock switched on (`lsm=` on the kernel's command line); in a container the "
    "seccomp profile must allow landlock_create_ruleset"
)


def wall_findings(policy: SandboxPolicy, settings: WallSettings) -> list[DoctorFinding]:
    """Return one finding for each part of the wall.

    Args:
        policy: what a sandbox found in force.
        settings: whether less than the required part is allowed here.
    """
    missing: Verdict = "warn" if settings.allow_degraded_sandbox else "fail"
    if policy.word == "off":
        return [DoctorFinding(AREA, "wall", "warn", "switched off: plugin code runs as the service does, without "
                              "any border", "remove sandbox_wall=off from the settings.")]  # fmt: skip
    return [
        _landlock(policy, missing),
        _part(
            "seccomp", is_there=policy.seccomp, missing=missing, remedy=f"use a kernel with seccomp filters, {_SWITCH}"
        ),
        _part(
            "no_new_privs in a sandbox",
            is_there=policy.no_new_privs,
            missing=missing,
            remedy=f"allow prctl in the seccomp profile of the container, {_SWITCH}",
        ),
        _uid(policy, settings, missing),
        *_search(policy),
        _keeper("connections", policy.tcp, missing, needs=4),
        _keeper("signals", policy.signals, missing, needs=6),
        DoctorFinding(AREA, "sandbox limits", "ok", _limits(policy)),
        *(DoctorFinding(AREA, "weaker here", "warn", gap) for gap in policy.gaps),
    ]


def _landlock(policy: SandboxPolicy, missing: Verdict) -> DoctorFinding:
    if policy.landlock_abi:
        found = f"version {policy.landlock_abi}; it decides on {', '.join(policy.landlock_handles) or 'nothing'}"
        return DoctorFinding(AREA, "landlock", "ok", found)
    if policy.uid_is_exclusive:
        found = "not in force; a uid for each sandbox stands in for it, so files that everybody may read stay readable"
        return DoctorFinding(AREA, "landlock", "warn", found, f"{_LANDLOCK}.")
    found = "not in force, and nothing stands in for it: a plugin may read and write what the service may"
    return DoctorFinding(AREA, "landlock", missing, found, f"{_LANDLOCK}; start as root; {_SWITCH}")


def _part(name: str, *, is_there: bool, missing: Verdict, remedy: str) -> DoctorFinding:
    return (
        DoctorFinding(AREA, name, "ok", "in force")
        if is_there
        else DoctorFinding(AREA, name, missing, "not in force", remedy)
    )


def _uid(policy: SandboxPolicy, settings: WallSettings, missing: Verdict) -> DoctorFinding:
    name = "uid for each sandbox"
    if policy.uid_is_exclusive:
        return DoctorFinding(AREA, name, "ok", f"in force, from the range {settings.sandbox_uids}")
    why = f"sandboxes run under uid {policy.uid}, as the service does, because {policy.no_uid}"
    if os.geteuid():
        remedy = "start as root to have it."
    elif settings.sandbox_uids == "none":
        remedy = "remove sandbox_uids=none from the settings."
    else:
        remedy = (
            "give the container CAP_SETUID, CAP_SETGID and CAP_CHOWN, install where other users may enter, or run "
            "forgesyte as an ordinary user."
        )
    if not policy.landlock_abi:
        return DoctorFinding(AREA, name, missing, why, f"{remedy[:-1]}, or have Landlock.")
    return DoctorFinding(AREA, name, "warn" if os.geteuid() == 0 else "ok", why, remedy)


def _search(policy: SandboxPolicy) -> list[DoctorFinding]:
    if not policy.searches:
        return []
    found = (
        f"sandboxes keep CAP_DAC_READ_SEARCH, because their uids cannot reach {sys.prefix}; Landlock alone holds them"
    )
    remedy = "install ForgeSyte and its plugins in a folder that others may enter, for example below /opt."
    return [DoctorFinding(AREA, "closed folder", "warn", found, remedy)]


def _keeper(name: str, keeper: str, missing: Verdict, *, needs: int) -> DoctorFinding:
    """Return what keeps plugin code from something that Landlock keeps it from since version `needs`."""
    if keeper == "nothing":
        return DoctorFinding(
            AREA, name, missing, "nothing holds plugin code back", f"see seccomp and landlock, {_SWITCH}"
        )
    more = "" if "landlock" in keeper else f"; Landlock does it from version {needs} on"
    return DoctorFinding(AREA, name, "ok", f"held back by {keeper}{more}")


def _limits(policy: SandboxPolicy) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(policy.limits.items())) or "none"
