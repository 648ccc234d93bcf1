"""The uid and the capabilities of a sandbox.

Where the service is root, each sandbox gets a uid that no other process has: then the kernel's oldest rules keep it
from others' signals, memory and files, and a limit on processes binds. Where that uid cannot reach the interpreter, for
example beneath a closed home folder, the sandbox keeps one capability, to read and search (CAPDAC_READ_SEARCH);
Landlock still decides what that is.
"""

import os
from collections.abc import Iterable

from forgesyte_sandbox.shared import kernel

DAC_READ_SEARCH = 2


def drop_to(uid: int | None, *, keeps_search: bool) -> None:
    """Take on a uid and its group for good and give up all capabilities, or all but the one to read and search.

    Args:
        uid: the sandbox's own; None keeps the service's.
        keeps_search: whether to keep the capability.

    Raises:
        OSError: the kernel refused it.
    """
    if uid is not None:
        if keeps_search:
            kernel.keep_capabilities()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        kernel.set_capabilities(frozenset({DAC_READ_SEARCH} if keeps_search else ()))
        kernel.be_dumpable()  # the change of uid took /proc/self away
    else:  # a service that is not root may have some all the same, inherited or of its container
        kernel.set_capabilities(frozenset())


def why_no_uid(uid: int, *, may_search: bool, paths: Iterable[str]) -> tuple[str | None, bool]:
    """Try out, in a child process, whether sandboxes can run under a uid of their own.

    Args:
        uid: one of those that they would be given.
        may_search: whether they may keep the capability to search.
        paths: what they must be able to read.

    Returns:
        Why they cannot, as a clause, or None; and whether they need the capability.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, _try(uid, paths).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 - a descriptor has no path
        said = answer.read().decode()
    os.waitpid(pid, 0)
    kind, _, text = said.partition(" ")
    if kind == "reached":
        return None, False
    if kind == "closed" and may_search:
        return None, True
    if kind == "closed":
        return f"{text} is closed to other users, and only under Landlock may a sandbox search it all the same", False
    return f"this service may not change its uid ({text or 'the trial died'})", False


def _try(uid: int, paths: Iterable[str]) -> str:
    try:
        drop_to(uid, keeps_search=False)
    except OSError as error:
        return f"refused {error.strerror}"
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except FileNotFoundError:
            continue
        except OSError:
            return f"closed {path}"
    return "reached"
