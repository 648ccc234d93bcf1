"""What the sandbox needs from this machine's kernel, tried out in a process that is not used for anything else.

`python -m forgesyte_launcher.kernel_abilities` tries everything and writes one JSON object: name -> null, or what went
wrong. It runs in a process of its own because no_new_privs and limits cannot be taken back.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from forgesyte_sandbox.shared import kernel

_ALLOWANCE_BYTES = 64 * 1024 * 1024


def _pdeathsig() -> None:
    kernel.die_with_parent(signal.SIGKILL, os.getppid())


def _memfd() -> None:
    os.close(os.memfd_create("forgesyte"))


def _pidfd() -> None:
    """Kill a child through its pidfd and wait for its end on the same descriptor."""
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    descriptor = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    finally:
        os.close(descriptor)


def _rlimit_data() -> None:
    """Allocate past the limit and expect MemoryError. Tried last, because it leaves the process little memory."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - pathlib is not needed for anything else here
        data_bytes = int(statm.read().split()[5]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + _ALLOWANCE_BYTES, hard))
    with suppress(MemoryError):
        bytearray(4 * _ALLOWANCE_BYTES)
        raise OSError(0, "the kernel let the process allocate memory past its limit")


TRIALS: dict[str, Callable[[], None]] = {
    "no_new_privs": kernel.refuse_new_privileges,
    "pdeathsig": _pdeathsig,
    "subreaper": kernel.become_subreaper,
    "pidfd": _pidfd,
    "memfd": _memfd,
    "rlimit_data": _rlimit_data,
}
"""Name -> a function that raises OSError or AttributeError where the ability is missing; tried in this order."""


def try_all() -> dict[str, str | None]:
    """Try every ability; None means that it works. This process must not be used for anything afterwards."""
    found: dict[str, str | None] = {}
    for name, trial in TRIALS.items():
        try:
            trial()
        except (OSError, AttributeError) as error:
            found[name] = str(error)
        else:
            found[name] = None
    return found


if __name__ == "__main__":
    json.dump(try_all(), sys.stdout)
