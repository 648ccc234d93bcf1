"""What is in force in this process, as the kernel reports it after the wall was built."""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forgesyte_contracts.plugins import SandboxPolicy
from forgesyte_sandbox.shared import kernel

from .foundation import Foundation
from .landlock import BY_ABI, keeps_signals, keeps_tcp
from .privileges import DAC_READ_SEARCH

_FILTER_MODE = "2"
_LIMITS = ("CORE", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "SIGPENDING")
_NO_REFEREE = (
    "Nothing can answer for signals between a plugin's own processes, so multiprocessing cannot end its workers; use "
    "Linux 6.12 or newer, or start the service as root"
)

Signals = Literal["landlock", "uid", "seccomp", "nothing"]


@dataclass(frozen=True, slots=True)
class Built:
    """What was built around this process and cannot be asked of the kernel.

    Attributes:
        foundation: what the wall stands on.
        uid_is_exclusive: whether its uid is leased to it alone.
        has_referee: whether the filter asks the zygote about signals.
    """

    foundation: Foundation
    uid_is_exclusive: bool
    has_referee: bool


def read_back(built: Built) -> SandboxPolicy:
    """Return the policy of this process."""
    foundation, uid_is_exclusive, has_referee = built.foundation, built.uid_is_exclusive, built.has_referee
    status = _status()
    abi, has_filter = foundation.landlock_abi, status.get("Seccomp") == _FILTER_MODE
    is_filters_task = foundation.checks_signals(0 if uid_is_exclusive else None)
    signals = _signals(abi, uid_is_exclusive=uid_is_exclusive, is_filtered=is_filters_task and has_filter)
    has_all = has_filter and status.get("NoNewPrivs") == "1" and (abi > 0 or uid_is_exclusive)
    return SandboxPolicy(
        word="off" if foundation.rules.is_off else "walled" if has_all else "degraded",
        landlock_abi=abi,
        landlock_handles=BY_ABI[abi].names() if abi else (),
        seccomp=has_filter,
        no_new_privs=status.get("NoNewPrivs") == "1",
        tcp="landlock and seccomp" if keeps_tcp(abi) and has_filter else "seccomp" if has_filter else "nothing",
        signals=signals,
        uid=os.getuid(),
        uid_is_exclusive=uid_is_exclusive,
        no_uid=None if uid_is_exclusive else foundation.no_uid,
        searches=bool(int(status.get("CapEff", "0"), 16) & 1 << DAC_READ_SEARCH) and os.getuid() != 0,
        dumpable=kernel.is_dumpable(),
        dies_with_parent=kernel.parent_death_signal() != 0,
        limits=_limits(),
        gaps=tuple(_gaps(foundation, lacks_referee=is_filters_task and has_filter and not has_referee)),
    )


def _status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _signals(abi: int, *, uid_is_exclusive: bool, is_filtered: bool) -> Signals:
    if keeps_signals(abi):
        return "landlock"
    if uid_is_exclusive:
        return "uid"
    return "seccomp" if is_filtered else "nothing"


def _limits() -> dict[str, int]:
    found = ((name.lower(), resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1]) for name in _LIMITS)
    return {name: hard for name, hard in found if hard != resource.RLIM_INFINITY}


def _gaps(foundation: Foundation, *, lacks_referee: bool) -> Iterator[str]:
    if lacks_referee:
        yield _NO_REFEREE
    if foundation.is_limited:
        yield (
            f"Landlock is limited to version {foundation.landlock_abi} by the setting sandbox_landlock_abi, and the "
            f"kernel has {foundation.kernel_abi}; remove the setting"
        )
    for folder in foundation.listed_private:
        yield (
            f"Private files lie beneath {folder}, from which Python imports: plugin code can list their names, not "
            "read them; move the data folder elsewhere with --data-dir"
        )
