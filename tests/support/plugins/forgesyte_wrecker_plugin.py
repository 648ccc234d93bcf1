"""A plugin for tests that attacks what runs it, at a frame of the test's choice."""

import ctypes
import errno
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from forgesyte_sdk import Frame, Plugin, Tool, ToolOptions

PTRACE_ATTACH = 16


class Wreckage(BaseModel):
    """The frame's own number, and with what error numbers the attack was refused at this frame."""

    index: int
    refused: tuple[str, ...] = ()


class WreckOptions(ToolOptions):
    """Whom it signals, how, and at which frame."""

    at: int = 5
    whom: Literal["zygote", "runner", "zygotes", "nats-server"] = "zygote"
    how: Literal["SIGKILL", "SIGSTOP"] = "SIGKILL"
    traces: bool = False
    """Whether it attaches to the runner as a debugger first."""
    pids: dict[str, list[int]] = {}
    """The targets, for a plugin that the wall keeps from finding them."""


class Wreck(Tool[WreckOptions, Wreckage]):
    """Attacks at frame `at`. Where that succeeds, it waits for what comes of it; where it is refused, it goes on."""

    name = "wreck"
    Options = WreckOptions
    Output = Wreckage

    def process_frame(self, frame: Frame) -> Wreckage:
        return Wreckage(index=frame.index, refused=self.attack() if frame.index == self.options.at else ())

    def attack(self) -> tuple[str, ...]:
        """Return the errors met."""
        runner, targets = self.pids("runner")[0], self.pids(self.options.whom)
        acts: list[Callable[[], object]] = [partial(trace, runner)] if self.options.traces else []
        # Its own zygote is the last: with that this process dies.
        targets = sorted(targets, key=lambda pid: pid == os.getppid())
        acts += [partial(os.kill, pid, signal.Signals[self.options.how]) for pid in targets]
        refused = [word for act in acts if (word := error_of(act))]
        if len(refused) < len(acts) and self.options.whom != "nats-server":
            threading.Event().wait()
        return tuple(refused)

    def pids(self, whom: str) -> list[int]:
        """Return the processes of that kind in the product that this job runs in."""
        try:
            return found(whom)
        except OSError:  # the wall hides other processes
            return self.options.pids[whom]


def found(whom: str) -> list[int]:
    """Look in /proc for processes of this product, and of no other on the machine."""
    zygote = os.getppid()
    if whom == "zygote":
        return [zygote]
    parents = {int(folder.name): parent_of(int(folder.name)) for folder in Path("/proc").glob("[0-9]*")}
    runner = parent_of(zygote)
    launcher = parent_of(runner)
    children = [pid for pid, parent in parents.items() if parent == launcher]
    runners = [pid for pid in children if "forgesyte_plugin_runner" in command_of(pid)]
    kinds = {
        "runner": [runner],
        "zygotes": [pid for pid, parent in parents.items() if parent in runners],
        "nats-server": [pid for pid in children if "nats-server" in command_of(pid)],
    }
    return kinds[whom]


def parent_of(pid: int) -> int:
    """Return its parent; 0 when it is gone.

    Raises:
        PermissionError: it may not be seen.
    """
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def command_of(pid: int) -> str:
    """Return its command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def trace(pid: int) -> None:
    """Attach to a process as a debugger does, which stops it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def error_of(act: Callable[[], object]) -> str:
    """Return the name of the error with which it fails; empty when it succeeds."""
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


class Wrecker(Plugin):
    """The plugin behind the tool."""

    name = "wrecker"
    version = "0.1.0"
    description = "For tests."
    tools = (Wreck,)
