"""The plugin that does what it should: neighbour and successor of the others."""

import threading
from pathlib import Path

from forgesyte_sdk import Plugin, PluginLimits, Tool, ToolOptions, ToolOutput


class GateOptions(ToolOptions):
    """Where it waits, and for which file; `reached` is made when it stands there."""

    at: int = 10
    gate: str = ""
    reached: str = ""
    pause_ms: int = 0
    """How long each frame takes at least."""


class Brightness(ToolOutput):
    """Mean brightness of the frame, 0 to 255."""

    brightness: int


class Measure(Tool[GateOptions, Brightness]):
    """Measures each frame; stands at frame `at` until the file `gate` is there."""

    name = "measure"
    inputs = ("image", "video")

    def process_frame(self, frame):
        options = self.options
        if frame.index == options.at and options.gate:
            Path(options.reached).touch()
            while not Path(options.gate).exists():
                threading.Event().wait(0.01)
        if options.pause_ms:
            threading.Event().wait(options.pause_ms / 1000)
        return Brightness(brightness=int(frame.image.mean()))


class Healthy(Plugin):
    """Does no harm. It may stand at its gate for as long as the faults beside it take."""

    name = "healthy"
    version = "1.0.0"
    limits = PluginLimits(frame_timeout_s=600)
    tools = (Measure,)


class EchoOptions(ToolOptions):
    """Values of every JSON type."""

    text: str
    number: float
    whole: int
    yes: bool
    nothing: None
    items: list[int | str]
    inside: dict[str, list[float]]


class Echoed(ToolOutput):
    """What arrived."""

    options: EchoOptions
    job_id: str
    device: str


class Echo(Tool[EchoOptions, Echoed]):
    """Returns what it was given."""

    name = "echo"

    def prepare(self, job):
        self.job = job

    def process_frame(self, frame):
        return Echoed(options=self.options, job_id=self.job.job_id, device=self.job.device)


class Echoes(Plugin):
    """Tells what arrived in the sandbox."""

    name = "echoes"
    version = "1.0.0"
    tools = (Echo,)
