"""Builds the wall around this process, step by step. Any step that fails raises.

The order matters: paths are opened while every path still opens; limits are set while they may be set; the change of
uid clears the death signal, so that comes after it; no_new_privs before Landlock and the filter, which need it; the
filter last, because it refuses what the steps before it do. The zygote stays outside: it must fork, kill and reap.
"""

import errno
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forgesyte_sandbox.shared import kernel
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import Spec
from forgesyte_sandbox.shared.wall_rules import Grants, Profile

from . import landlock, seccomp
from .foundation import Foundation
from .landlock import Access, Rule
from .policy import Built
from .privileges import drop_to
from .resources import limit_resources


@dataclass(frozen=True, slots=True)
class WalledHome:
    """Where one sandbox lives.

    Attributes:
        scratch: the folder that it may write; its working folder.
        inbox: what it is given to read.
        uid: its own uid; None leaves it under the service's.
        profile: how narrow the wall is.
        outputs: absolute paths of the files that it may write in the profile `media`; they are made here.
    """

    scratch: str
    inbox: str
    uid: int | None = None
    profile: Profile = "plugin"
    outputs: tuple[str, ...] = ()

    def of_order(self, kind: type[Spec], spec: Mapping[str, Any]) -> "WalledHome":
        """Return the home as an order needs it; `spec` is still plain JSON."""
        outputs = tuple(str(Path(self.scratch, Path(spec[name]).name)) for name in kind.OUTPUTS if name in spec)
        return replace(self, profile=kind.PROFILE, outputs=outputs)


@dataclass(frozen=True, slots=True)
class Begun:
    """What stands before the order is read.

    Attributes:
        referee: a socket to the zygote; the descriptor that answers for signals is sent through it where one is needed.
        ruleset: Landlock's, with the rules of every sandbox; None without Landlock.
    """

    referee: int
    ruleset: int | None

    @classmethod
    def begin(cls, foundation: Foundation, referee: int) -> "Begun":
        """Make what is the same for all orders, while the parent still writes this one.

        Raises:
            OSError: the kernel refused it.
        """
        abi = foundation.landlock_abi
        return cls(referee, landlock.make_ruleset(foundation.common, abi) if abi else None)


class WallBroken(Exception):
    """The kernel accepted a step and does not keep it."""


def build_wall(foundation: Foundation, home: WalledHome, grants: Grants, limits: Limits, *, begun: Begun) -> Built:
    """Wall this process in; it must be single-threaded and not have run any plugin code.

    Args:
        foundation: what the zygote found out.
        home: this sandbox's.
        grants: what it may use besides.
        limits: what it may consume.
        begun: what was there before the order.

    Raises:
        OSError: the kernel refused a step.
        WallBroken: it accepted one and does not keep it.
    """
    rules = foundation.rules
    abi, ruleset, referee = foundation.landlock_abi, begun.ruleset, begun.referee
    _make_outputs(home)
    if ruleset is not None:
        landlock.add_rules(ruleset, _rules(home, grants), abi)
    limit_resources(limits, has_own_uid=home.uid is not None)
    if not rules.is_off:
        drop_to(home.uid, keeps_search=_keeps_search(foundation, home, grants))
    if not kernel.die_with_parent(signal.SIGKILL, foundation.zygote_pid):
        os._exit(0)
    kernel.refuse_new_privileges()
    if ruleset is not None:
        landlock.hold("/proc/self")
        landlock.restrict_self(ruleset)
        os.close(ruleset)
        vars(os)["system"] = _refuse_shell
    checks_signals = foundation.checks_signals(home.uid)
    has_referee = checks_signals and home.profile == "plugin" and _find_referee(referee)
    os.close(referee)
    if rules.seccomp:
        seccomp.install_filter(
            home.profile,
            landlock_abi=abi,
            has_own_uid=home.uid is not None,
            signals_only_itself=checks_signals and not has_referee,
        )
    _require_kept(abi)
    return Built(foundation, uid_is_exclusive=home.uid is not None, has_referee=has_referee)


def _rules(home: WalledHome, grants: Grants) -> Iterator[Rule]:
    yield Rule("/proc/self", Access.READ)
    yield Rule(home.inbox, Access.READ)
    if home.profile == "plugin":
        yield Rule(home.scratch, Access.SCRATCH)
        yield Rule("/dev/shm", Access.SHARED_MEMORY)  # noqa: S108 - multiprocessing's locks and queues live there
    for path in grants.reads:
        yield Rule(path, Access.READ)
    for path in home.outputs:
        yield Rule(path, Access.FILE)
    for path in grants.devices:
        yield Rule(path, Access.CONTROL)


def _make_outputs(home: WalledHome) -> None:
    for path in home.outputs:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        if home.uid is not None:
            os.chown(path, home.uid, home.uid)


def _keeps_search(foundation: Foundation, home: WalledHome, grants: Grants) -> bool:
    if home.uid is None or not foundation.may_search:
        return False
    slot = str(Path(home.scratch).parent)  # open to this uid, and to no other; what is above it counts
    return foundation.needs_search or not all(map(_is_open, (slot, *grants.reads)))


def _is_open(path: str) -> bool:
    """Whether another uid reaches a path by the modes of the folders above it, and may read it if it is not a home."""
    above = Path(path).resolve().parents
    return all(folder.stat().st_mode & 0o001 for folder in above if folder.exists())


def _find_referee(zygote_fd: int) -> bool:
    """Have the zygote answer for signals; return False where the kernel, or a filter around this one, forbids that."""
    try:
        listener = seccomp.ask_referee_about_signals()
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.EINVAL, errno.ENOSYS, errno.EACCES):
            return False
        raise
    with socket.socket(fileno=os.dup(zygote_fd)) as zygote:
        socket.send_fds(zygote, [b"l"], [listener])
    os.close(listener)
    return True


def _refuse_shell(command: str | bytes) -> int:
    """Refuse as subprocess does. The C library answers with an exit code alone, and few plugins look at that."""
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/bin/sh")


def _require_kept(abi: int) -> None:
    if not abi:
        return
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        return
    raise WallBroken("the kernel accepted the Landlock rules, and / can be listed all the same")
