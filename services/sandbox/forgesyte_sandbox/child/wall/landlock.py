"""Landlock by ctypes: what each version of it handles, as one explicit table, and a ruleset of this process.

Numbers and rights are those of linux/landlock.h, the same on all machines. Version 7 adds log flags alone.
"""

import errno
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import cache

from forgesyte_sandbox.shared.kernel import system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_RULE = struct.Struct("=Qi")  # struct landlock_path_beneath_attr, which is packed: 12 bytes


class Right(IntFlag):
    """What Landlock decides on in the file system."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


class Net(IntFlag):
    """What Landlock decides on in the network."""

    BIND_TCP = 1 << 0
    CONNECT_TCP = 1 << 1


class Scope(IntFlag):
    """What Landlock keeps inside the sandbox."""

    ABSTRACT_UNIX_SOCKET = 1 << 0
    SIGNAL = 1 << 1


NO_NET, NO_SCOPE = Net(0), Scope(0)


@dataclass(frozen=True, slots=True)
class Handled:
    """What one version handles: everything it handles is denied unless a rule allows it."""

    rights: Right
    net: Net = NO_NET
    scope: Scope = NO_SCOPE

    def names(self) -> tuple[str, ...]:
        """Return the kernel's names of all of it, in lower case."""
        flags = (*self.rights, *self.net, *self.scope)
        return tuple(flag.name.lower() for flag in flags if flag.name is not None)


_RIGHTS_1 = Right((1 << 13) - 1)
_RIGHTS_3 = _RIGHTS_1 | Right.REFER | Right.TRUNCATE
_RIGHTS_5 = _RIGHTS_3 | Right.IOCTL_DEV
_TCP = Net.BIND_TCP | Net.CONNECT_TCP
_SCOPES = Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL

BY_ABI: dict[int, Handled] = {
    1: Handled(_RIGHTS_1),
    2: Handled(_RIGHTS_1 | Right.REFER),
    3: Handled(_RIGHTS_3),
    4: Handled(_RIGHTS_3, _TCP),
    5: Handled(_RIGHTS_5, _TCP),
    6: Handled(_RIGHTS_5, _TCP, _SCOPES),
    7: Handled(_RIGHTS_5, _TCP, _SCOPES),
}
"""What is handled, by the version of Landlock (its ABI)."""

LATEST_ABI = max(BY_ABI)


def keeps_signals(abi: int) -> bool:
    """Whether this version keeps signals inside the sandbox."""
    return abi > 0 and Scope.SIGNAL in BY_ABI[abi].scope


def keeps_tcp(abi: int) -> bool:
    """Whether this version decides on TCP."""
    return abi > 0 and Net.CONNECT_TCP in BY_ABI[abi].net


_OF_A_FILE = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
"""The rights that a rule on anything but a folder may hold; the kernel refuses others with EINVAL."""


class Access(Enum):
    """What a rule allows on a path and everything beneath it."""

    READ = Right.READ_FILE | Right.READ_DIR
    LIST = Right.READ_DIR
    RUN = Right.READ_FILE | Right.READ_DIR | Right.EXECUTE
    DEVICE = Right.READ_FILE | Right.WRITE_FILE
    CONTROL = Right.READ_FILE | Right.WRITE_FILE | Right.IOCTL_DEV
    SHARED_MEMORY = Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE | Right.MAKE_REG | Right.REMOVE_FILE
    """Without READ_DIR: names in /dev/shm are random, so what cannot be listed cannot be met."""

    SCRATCH = (
        Right.READ_FILE | Right.READ_DIR | Right.WRITE_FILE | Right.TRUNCATE | Right.REMOVE_DIR | Right.REMOVE_FILE
        | Right.MAKE_DIR | Right.MAKE_REG | Right.MAKE_FIFO | Right.MAKE_SYM | Right.REFER
    )  # fmt: skip
    """No device, no socket, and nothing in it is executed."""

    FILE = Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE
    """One file that exists already."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One path, absolute, and what is allowed beneath it; a path that does not exist allows nothing."""

    path: str
    access: Access


def kernel_abi() -> int:
    """Return the kernel's version of Landlock; 0 when it has none or was started without it."""
    try:
        return system_call(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def make_ruleset(rules: Iterable[Rule], abi: int) -> int:
    """Make a ruleset and return its descriptor, which the caller closes.

    Paths are opened here, with the rights that this process has now; symbolic links are followed, so a rule holds for
    what is behind them.

    Raises:
        OSError: the kernel refused it.
    """
    handled = BY_ABI[abi]
    attributes = struct.pack("=QQQ", handled.rights, handled.net, handled.scope)[: _size_of(abi)]
    ruleset = system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    add_rules(ruleset, rules, abi)
    return ruleset


def add_rules(ruleset: int, rules: Iterable[Rule], abi: int) -> None:
    """Add rules to a ruleset of this version; as make_ruleset() does.

    Raises:
        OSError: the kernel refused one.
    """
    for rule in rules:
        _add(ruleset, rule, abi)


def hold(path: str) -> None:
    """Keep a path of /proc open for as long as this process lives, so that a rule on it goes on holding.

    A rule holds for an inode. The kernel makes the inodes of /proc again when it needs memory and has let go of a name:
    the rule would then stand for a file that no path leads to, and the path would be refused.
    """
    with suppress(OSError):
        os.open(path, os.O_PATH | os.O_CLOEXEC)


def restrict_self(ruleset: int) -> None:
    """Put this thread, and everything it starts, under the ruleset, for good; needs no_new_privs.

    Raises:
        OSError: the kernel refused it.
    """
    system_call(_RESTRICT_SELF, ruleset, 0)


def _size_of(abi: int) -> int:
    # An older kernel refuses a longer structure unless the rest is zero; the sizes are those it knew.
    if abi < 4:
        return 8
    return 16 if abi < 6 else 24


@cache
def _rights(access: Access, abi: int) -> tuple[int, int]:
    """Return what a rule allows on a folder and on anything else, as numbers: each start adds dozens of rules."""
    rights = access.value & BY_ABI[abi].rights
    return int(rights), int(rights & _OF_A_FILE)


def _add(ruleset: int, rule: Rule, abi: int) -> None:
    try:
        beneath = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            return
        raise
    try:
        on_folder, on_other = _rights(rule.access, abi)
        rights = on_folder if stat.S_ISDIR(os.fstat(beneath).st_mode) else on_other
        if rights:
            system_call(_ADD_RULE, ruleset, _PATH_BENEATH, _RULE.pack(rights, beneath), 0)
    finally:
        os.close(beneath)
