"""How high the wall around plugin code is built here: what the operator and the kernel allow. Plain values, both sides.

The child builds as much of it as the kernel has, reads back what is in force and reports it; the parent compares that
with what is required.
"""

import pwd
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

FIRST_UID, LAST_UID = 60600, 61099
"""Uids that Debian, Ubuntu and systemd give to no one, below 65536 so that they exist in a rootless container too."""

_SYSTEM = frozenset(
    map(
        Path,
        (
            "/", "/bin", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin",
            "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/usr/share", "/var", "/var/lib", "/var/log", "/var/tmp",  # noqa: S108 - refused as rules
        ),
    )
)  # fmt: skip
_NEVER_PYTHON = tuple(map(Path, ("/boot", "/dev", "/etc", "/proc", "/run", "/sys")))

Profile = Literal["plugin", "media"]
"""plugin: plugin code runs. media: our own code alone, over a stranger's file: it starts no process and writes no file
but its outputs."""


@dataclass(frozen=True, slots=True)
class WallRules:
    """What is built.

    Attributes:
        landlock_abi: the highest version of Landlock to use; None for the kernel's, 0 for none.
        seccomp: whether the filter is installed.
        uids: first and last uid that sandboxes may be given; None leaves them under the service's own. Without effect
            unless the service is root.
        private: folders that only the services may read, wherever they lie.
        is_required: whether a service refuses to start when less than the required part is in force.
    """

    landlock_abi: int | None = None
    seccomp: bool = True
    uids: tuple[int, int] | None = (FIRST_UID, LAST_UID)
    private: tuple[str, ...] = ()
    is_required: bool = True

    @classmethod
    def off(cls) -> Self:
        """Return rules that build nothing, for comparisons and for kernels that have none of it."""
        return cls(landlock_abi=0, seccomp=False, uids=None, is_required=False)

    @property
    def is_off(self) -> bool:
        """Whether nothing is built."""
        return self.landlock_abi == 0 and not self.seccomp and self.uids is None

    def as_dict(self) -> dict[str, Any]:
        """Return the rules as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Take rules back from as_dict()."""
        uids = facts["uids"]
        return cls(**{**facts, "uids": None if uids is None else tuple(uids), "private": tuple(facts["private"])})


@dataclass(frozen=True, slots=True)
class Grants:
    """What one sandbox may use beyond its home, the interpreter and what is installed.

    Attributes:
        reads: absolute paths of files or folders that it may read: model files, and what the operator permitted.
        devices: paths of device files that it may read, write and control.
    """

    reads: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the grants as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Take grants back from as_dict()."""
        return cls(tuple(facts["reads"]), tuple(facts["devices"]))


NO_GRANTS = Grants()
"""Nothing beyond what every sandbox may use."""


def is_too_wide(path: Path) -> bool:
    """Whether a resolved path is no place for Python code alone: a folder of the system, or a user's home."""
    if path in _SYSTEM or path.parent == Path("/home") or any(map(path.is_relative_to, _NEVER_PYTHON)):
        return True
    return str(path) in _homes()


@cache  # once in each service: grants are made for each job, and the accounts may come over the network
def _homes() -> set[str]:
    # Accounts of services have homes such as /usr/lib/news, which are libraries to us.
    return {user.pw_dir for user in pwd.getpwall() if user.pw_uid == 0 or user.pw_uid >= 1000} - {"/", "/nonexistent"}
