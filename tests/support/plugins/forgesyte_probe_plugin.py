"""A plugin for tests: each tool does one thing, at the frame and the moment the test chooses."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from forgesyte_sdk import EmptyOptions, Frame, Plugin, Tool, ToolOptions


class Brightness(BaseModel):
    """Mean brightness of the frame, 0 to 255."""

    brightness: int


class GateOptions(ToolOptions):
    """Where the tool stops and what lets it go on."""

    at: int = 10
    gate: str = ""
    reached: str = ""
    pause_ms: int = 0
    """How long each frame behind the gate takes."""


def say_reached(file: str) -> None:
    """Leave the sandbox's pid, unless a sandbox before this one, under another uid, has left its own."""
    with suppress(PermissionError):
        Path(file).write_text(str(os.getpid()))


class Gate(Tool[GateOptions, Brightness]):
    """Stops at frame `at` until the file `gate` is there, so that a test can do something in the middle of a job."""

    name = "gate"
    Options = GateOptions
    Output = Brightness

    def process_frame(self, frame: Frame) -> Brightness:
        if frame.index == self.options.at and self.options.gate:
            if self.options.reached:
                say_reached(self.options.reached)
            while not Path(self.options.gate).exists():
                threading.Event().wait(0.01)
        if frame.index > self.options.at and self.options.pause_ms:
            threading.Event().wait(self.options.pause_ms / 1000)
        return Brightness(brightness=int(frame.image.mean()))


class HangOptions(ToolOptions):
    """Where the tool hangs."""

    at: int = 0
    reached: str = ""


class Hang(Tool[HangOptions, Brightness]):
    """Hangs at frame `at` and keeps the interpreter's lock."""

    name = "hang"
    Options = HangOptions
    Output = Brightness

    def process_frame(self, frame: Frame) -> Brightness:
        if frame.index == self.options.at:
            if self.options.reached:
                say_reached(self.options.reached)
            while True:
                pass
        return Brightness(brightness=int(frame.image.mean()))


class DieOptions(ToolOptions):
    """Where the tool dies, how, and how long each frame before takes."""

    at: int = 0
    how: Literal["timeout", "crash", "oom"] = "crash"
    pause_ms: int = 0


class Die(Tool[DieOptions, Brightness]):
    """Dies at frame `at`: hangs, has a segmentation fault, or takes more memory than there is."""

    name = "die"
    Options = DieOptions
    Output = Brightness

    def process_frame(self, frame: Frame) -> Brightness:
        if frame.index == self.options.at:
            DEATHS[self.options.how]()
        threading.Event().wait(self.options.pause_ms / 1000)
        return Brightness(brightness=int(frame.image.mean()))


DEATHS: dict[str, Callable[[], object]] = {
    "timeout": lambda: threading.Event().wait(),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "oom": lambda: bytes(1 << 45),
}


class RaiseOptions(ToolOptions):
    """Where the tool raises."""

    at: int = 0


class Raise(Tool[RaiseOptions, Brightness]):
    """Raises at frame `at`."""

    name = "raise"
    Options = RaiseOptions
    Output = Brightness

    def process_frame(self, frame: Frame) -> Brightness:
        if frame.index == self.options.at:
            raise RuntimeError(f"no luck at {frame.index}")
        return Brightness(brightness=int(frame.image.mean()))


class Light(BaseModel):
    """How bright the frame is, as a number that JSON may not have."""

    light: float


class Nan(Tool[EmptyOptions, Light]):
    """Returns NaN for every frame, so that each has a warning."""

    name = "nan"
    Output = Light

    def process_frame(self, frame: Frame) -> Light:
        return Light(light=float("nan"))


class Probe(Plugin):
    """The plugin behind the tools."""

    name = "probe"
    version = "0.1.0"
    description = "For tests."
    tools = (Gate, Hang, Die, Raise, Nan)
