"""The settings of the wall, the same for every service that has sandboxes: each inherits this one class.

It has no environment prefix: a service's own settings give it theirs. Rejected: the fields in the chassis, which every
service stands on, also those without a sandbox.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from forgesyte_sandbox.shared.wall_rules import FIRST_UID, LAST_UID, WallRules


class WallSettings(BaseModel):
    """How high the wall around plugin code is built."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    allow_degraded_sandbox: bool = False
    """Whether to start although the kernel lacks a required part of the wall around plugin code: no_new_privs, the
    seccomp filter, and Landlock or a uid for each slot. Without it such a start is refused. Say yes only where you
    trust every plugin as you trust the service itself; `forgesyte doctor` shows what is missing."""

    sandbox_wall: Literal["on", "off"] = "on"
    """off builds no wall at all, to compare with or to find out whether the wall is what disturbs a plugin. It needs
    allow_degraded_sandbox."""

    sandbox_landlock_abi: int | None = Field(default=None, ge=0)
    """Highest version of Landlock that is used, to see what an older kernel would do; 0 uses none. None: whatever the
    kernel has."""

    sandbox_uids: str = f"{FIRST_UID}-{LAST_UID}"
    """Range of the uids that sandboxes run under, each its own, where the service runs as root; without effect
    elsewhere. No user and no other program may have them. none: sandboxes keep the uid of the service."""

    private_dirs: str = ""
    """Further folders that no sandbox may read, whatever a plugin is permitted, separated by colons: other data of the
    services. The store, when it is a folder, and the scratch folder always are."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self.wall_rules()
        return self

    def wall_rules(self, *, private: Iterable[Path] = ()) -> WallRules:
        """Return the rules for the sandboxes of this service.

        Args:
            private: folders of this service, beside `private_dirs`.
        """
        return wall_rules_from(
            wall=self.sandbox_wall,
            landlock_abi=self.sandbox_landlock_abi,
            uids=self.sandbox_uids,
            allows_degraded=self.allow_degraded_sandbox,
            private=(*private, *(Path(folder) for folder in self.private_dirs.split(os.pathsep) if folder)),
        )


def wall_rules_from(
    *,
    wall: str = "on",
    landlock_abi: int | None = None,
    uids: str = f"{FIRST_UID}-{LAST_UID}",
    allows_degraded: bool = False,
    private: Iterable[Path] = (),
) -> WallRules:
    """Read the rules as an operator spells them.

    Args:
        wall: `on`, or `off` for no wall at all.
        landlock_abi: the highest version of Landlock to use.
        uids: first and last uid, as in `60600-61099`, or `none`.
        allows_degraded: whether less than the required part may be in force.
        private: folders that only the services may read.

    Raises:
        ValueError: a text cannot be read, or the wall is off although less than the required part is not allowed.
    """
    folders = tuple(sorted({os.path.realpath(folder) for folder in private}))
    numbers = uid_range(uids)
    if wall == "on":
        return WallRules(landlock_abi, uids=numbers, private=folders, is_required=not allows_degraded)
    if not allows_degraded:
        text = "sandbox_wall=off runs plugin code without a wall: set allow_degraded_sandbox=true as well to confirm it"
        raise ValueError(f"{text}, or remove sandbox_wall")
    return replace(WallRules.off(), private=folders)


def uid_range(text: str) -> tuple[int, int] | None:
    """Read a range of uids, `FIRST-LAST`; `none` is None.

    Raises:
        ValueError: it is neither.
    """
    if text.strip() == "none":
        return None
    first, _, last = (part.strip() for part in text.partition("-"))
    if first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < 1 << 32:
        return int(first), int(last)
    expected = f"expected a range of uids such as {FIRST_UID}-{LAST_UID}, or none"
    raise ValueError(f"{expected}; found {text!r:.80}")
