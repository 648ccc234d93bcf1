"""What the wall of every sandbox of one zygote stands on: found out once, when the zygote is loaded."""

import os
from dataclasses import dataclass
from typing import Any

from forgesyte_sandbox.shared.wall_rules import WallRules

from . import landlock, seccomp
from .landlock import Access, Rule
from .privileges import why_no_uid
from .rule_paths import common_rules, listed_private


@dataclass(frozen=True, slots=True)
class Foundation:
    """What this kernel and this installation allow, within the operator's rules.

    Attributes:
        rules: the operator's.
        zygote_pid: the process that forks the sandboxes, their parent.
        landlock_abi: the version of Landlock that is used; 0 for none.
        kernel_abi: the kernel's version.
        common: the rules of every sandbox.
        no_uid: why sandboxes get no uid of their own, as a clause; None where they get one.
        needs_search: whether a sandbox under a uid of its own must keep the capability to search.
    """

    rules: WallRules
    zygote_pid: int
    landlock_abi: int = 0
    kernel_abi: int = 0
    common: tuple[Rule, ...] = ()
    no_uid: str | None = None
    needs_search: bool = False

    @classmethod
    def find(cls, rules: WallRules) -> "Foundation":
        """Find out; call it in the zygote, single-threaded, after everything is imported."""
        if rules.is_off:
            return cls(rules, os.getpid(), no_uid="the wall is switched off")
        kernel_abi = landlock.kernel_abi()
        wanted = landlock.LATEST_ABI if rules.landlock_abi is None else rules.landlock_abi
        abi = min(kernel_abi, landlock.LATEST_ABI, wanted)
        common = common_rules(rules.private)
        no_uid, needs_search = _uid_of_its_own(rules, common, may_search=abi > 0 and rules.seccomp)
        found = cls(rules, os.getpid(), abi, kernel_abi, common, no_uid, needs_search)
        found._prepare_filters()
        for rule in common if abi else ():
            if rule.path.startswith("/proc/"):
                landlock.hold(rule.path)
        return found

    def checks_signals(self, uid: int | None) -> bool:
        """Whether the filter must keep a sandbox's signals in: neither Landlock nor a uid of its own does."""
        return self.rules.seccomp and uid is None and not landlock.keeps_signals(self.landlock_abi)

    def _prepare_filters(self) -> None:
        """Lay the filters out once, so that no fork spends milliseconds on it."""
        if not self.rules.seccomp:
            return
        has_own_uid = self.no_uid is None
        only_itself = self.checks_signals(None if self.no_uid else 0)
        for profile in ("plugin", "media"):
            for signals_only_itself in {False, only_itself}:
                seccomp.prepare(
                    profile,
                    landlock_abi=self.landlock_abi,
                    has_own_uid=has_own_uid,
                    signals_only_itself=signals_only_itself,
                )

    @property
    def is_limited(self) -> bool:
        """Whether a setting keeps a version of Landlock from being used that the kernel has and the wall knows."""
        return self.landlock_abi < min(self.kernel_abi, landlock.LATEST_ABI)

    @property
    def may_search(self) -> bool:
        """Whether a sandbox may keep the capability to search: only where Landlock decides what that is."""
        return self.landlock_abi > 0 and self.rules.seccomp

    @property
    def listed_private(self) -> tuple[str, ...]:
        """Folders in which names of private files can be listed."""
        return listed_private(self.common)

    def facts(self) -> dict[str, Any]:
        """Return what the parent must know before it makes homes, as plain JSON."""
        return {"no_uid": self.no_uid}


def _uid_of_its_own(rules: WallRules, common: tuple[Rule, ...], *, may_search: bool) -> tuple[str | None, bool]:
    if os.geteuid() != 0:
        return "the service does not run as root", False
    if rules.uids is None:
        return "no uids are set aside for sandboxes", False
    readable = (rule.path for rule in common if rule.access in (Access.READ, Access.RUN))
    return why_no_uid(rules.uids[0], may_search=may_search, paths=readable)
