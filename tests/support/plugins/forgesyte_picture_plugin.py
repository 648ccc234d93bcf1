"""A plugin for tests that takes images: it measures, waits for the test, or raises."""

import threading
from pathlib import Path

from pydantic import BaseModel

from forgesyte_sdk import Frame, Plugin, Tool, ToolOptions


class Measured(BaseModel):
    """Size in pixels, and the mean of blue, green and red, 0 to 255."""

    width: int
    height: int
    blue_green_red: list[int]


def measured(frame: Frame) -> Measured:
    """Measure one frame."""
    height, width, _ = frame.image.shape
    means = frame.image.reshape(-1, 3).mean(axis=0)
    return Measured(width=width, height=height, blue_green_red=[round(float(mean)) for mean in means])


class Measure(Tool[ToolOptions, Measured]):
    """Says what it sees."""

    name = "measure"
    inputs = ("image", "video")
    Options = ToolOptions
    Output = Measured

    def process_frame(self, frame: Frame) -> Measured:
        return measured(frame)


class WaitOptions(ToolOptions):
    """The file to wait for."""

    gate: str


class Wait(Tool[WaitOptions, Measured]):
    """Measures once the file `gate` is there."""

    name = "wait"
    inputs = ("image", "video")
    Options = WaitOptions
    Output = Measured

    def process_frame(self, frame: Frame) -> Measured:
        while not Path(self.options.gate).exists():
            threading.Event().wait(0.01)
        return measured(frame)


class Raise(Tool[ToolOptions, Measured]):
    """Always raises."""

    name = "raise"
    inputs = ("image",)
    Options = ToolOptions
    Output = Measured

    def process_frame(self, frame: Frame) -> Measured:
        raise RuntimeError("the secret of the plugin")


class Picture(Plugin):
    """The plugin behind the tools."""

    name = "picture"
    version = "0.1.0"
    description = "For tests."
    tools = (Measure, Wait, Raise)
