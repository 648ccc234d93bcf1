"""What an attempt is: a small function of plugin code that goes for a target outside and returns what it got.

It raises OSError where the kernel refuses, Stopped where something else was in the way. Its word counts only where
nothing outside can be looked at; `seen` names what the harness looks at instead.
"""

import errno
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

Targets = SimpleNamespace
"""What the harness prepared: paths, pids, addresses. Never the secret itself."""


class Stopped(Exception):
    """What stopped an attempt, where it is no errno."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row.

    Attributes:
        name: the function's, with dashes.
        group: its module.
        says: what it tries.
        act: the function.
        seen: how the harness sees that it succeeded: `secret` (what it returns holds the secret), the name of a check,
            or "" (its word).
        is_alone: whether it has a job of its own, because a success spoils the job or its input.
        is_deadly: whether a success ends the zygote, so that it runs after all others.
    """

    name: str
    group: str
    says: str
    act: Callable[[Targets], Any]
    seen: str = ""
    is_alone: bool = False
    is_deadly: bool = False


ATTEMPTS: dict[str, Attempt] = {}


def attempt(seen: str = "", **facts: bool) -> Callable[[Callable[[Targets], Any]], Callable[[Targets], Any]]:
    """Make the decorated function a row of the table."""

    def register(act: Callable[[Targets], Any]) -> Callable[[Targets], Any]:
        name, group = act.__name__.replace("_", "-"), act.__module__.rpartition(".")[2]
        assert name not in ATTEMPTS, f"{name} stands twice"
        ATTEMPTS[name] = Attempt(name, group, (act.__doc__ or "").strip(), act, seen, **facts)
        return act

    return register


def result_of(act: Callable[[Targets], Any], at: Targets) -> dict[str, Any]:
    """Run an attempt; return whether it says that it succeeded, what stopped it, and what it got."""
    try:
        got = act(at)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "")
        return {"succeeded": False, "by": name or f"{type(error).__name__}: {error}", "proof": ""}
    except Stopped as stopped:
        return {"succeeded": False, "by": str(stopped), "proof": ""}
    except Exception as error:  # noqa: BLE001 - an attempt may raise anything; the job goes on
        return {"succeeded": False, "by": f"{type(error).__name__}: {error}", "proof": ""}
    return {"succeeded": True, "by": "", "proof": got.decode("latin-1") if isinstance(got, bytes) else str(got)}


def in_child(act: Callable[[Targets], Any], at: Targets) -> Any:
    """Run a part of an attempt in a forked child, for what would spoil the sandbox's own process.

    Raises:
        Stopped: what stopped it there, or the signal that ended the child.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            os.write(writing, json.dumps(result_of(act, at)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    said = b""
    while part := os.read(reading, 1 << 16):
        said += part
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        raise Stopped(signal.Signals(-code).name)
    result = json.loads(said)
    if not result["succeeded"]:
        raise Stopped(result["by"])
    return result["proof"]


def read(path: str, size: int = 65536) -> bytes:
    """Return the first bytes of a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def write(path: str, data: bytes, flags: int = 0) -> int:
    """Write to a file that exists, or is made when `flags` say so."""
    descriptor = os.open(path, os.O_WRONLY | flags, 0o666)
    try:
        return os.write(descriptor, data)
    finally:
        os.close(descriptor)


def own_input(at: Targets) -> str:
    """Return the path of the job's own video, which the decoder has open."""
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names alone
        try:
            path = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - a str for os calls
            if path.startswith("/") and os.stat(path).st_size == at.input_size:  # noqa: PTH116 - the same
                return path
        except OSError:
            continue
    raise Stopped("no input is open")


def unless_pretended(is_done: bool) -> str:
    """Return a proof when the call did what it answered.

    Raises:
        Stopped: the call answered success and did nothing.
    """
    if not is_done:
        raise Stopped("answered, did nothing")
    return "done"
