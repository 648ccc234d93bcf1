"""How a function that does something bad becomes a plugin that does it at one chosen step of a job."""

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from forgesyte_sdk import Plugin, PluginLimits, Tool, ToolOptions, ToolOutput

BEGAN = "began"
STARTED_PIDS = "started-pids"
FILES = os.environ.get("STABILITY_FILES", "forgesyte-in-product")
"""Name of the files that a fault leaves outside its scratch folder, so that a test finds them and takes them away."""


PATIENT = PluginLimits(frame_timeout_s=60)
"""For faults that are not about time: on a slow machine the memory should run out before the patience does."""


class FaultOptions(ToolOptions):
    """Where it happens: the frame, for faults that happen at a frame."""

    at: int = 2


class Anything(ToolOutput):
    """Whatever the fault gives."""

    value: object = None


def begin() -> None:
    """Leave the moment in the scratch folder (monotonic seconds, the same clock in every process)."""
    # The function is bound at import: a fault may turn the clock.
    Path(BEGAN).write_text(repr(monotonic()))


def note_started(pid: int) -> None:
    """Leave the id of a process that the fault started, so that a test can look for it by more than its marks."""
    with Path(STARTED_PIDS).open("a") as file:
        file.write(f"{pid} {start_ticks(pid)}\n")


def start_ticks(pid: int) -> str:
    """When the process began, in clock ticks: a pid that was given away again has another; `?` behind the wall."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except PermissionError:
        return "?"


def faulty(name: str, *, step: str = "frame", **attributes: Any) -> Callable[[Callable[[], object]], type[Plugin]]:
    """Make the decorated function a plugin called `name`.

    Args:
        name: the plugin's, which is its entry point's too.
        step: where it happens: construct, validate, load, prepare, frame, every-frame, finalize.
        attributes: further attributes of the plugin class.
    """

    def make(fault: Callable[[], object]) -> type[Plugin]:
        def act() -> object:
            begin()
            return fault()

        facts = {"name": name, "version": "1.0.0", "description": fault.__doc__ or "", "tools": (tool_of(act, step),)}
        return type(f"Fault_{fault.__name__}", (Plugin,), {**facts, **plugin_steps(act, step), **attributes})

    return make


def plugin_steps(act: Callable[[], object], step: str) -> dict[str, Callable[..., Any]]:
    """The methods of the plugin class in which the fault happens."""
    methods = {
        "construct": {"__init__": lambda self: act()},
        "validate": {"validate": lambda self: act()},
        "load": {"load": lambda self, device: act()},
    }
    return methods.get(step, {})


def tool_of(act: Callable[[], object], step: str) -> type[Tool[Any, Any]]:
    """The one tool of a faulty plugin; it returns the frame's number where nothing happens."""

    class Misbehave(Tool[FaultOptions, Anything]):
        name = "misbehave"
        inputs = ("image", "video")

        def prepare(self, job):
            if step == "prepare":
                act()

        def process_frame(self, frame):
            if step == "every-frame" or (step == "frame" and frame.index == self.options.at):
                return Anything(value=act())
            return Anything(value=frame.index)

        def finalize(self):
            if step == "finalize":
                act()

    return Misbehave


def fork_and(act: Callable[[], object]) -> int:
    """Run `act` in a child that never returns here; return the child's pid."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid
