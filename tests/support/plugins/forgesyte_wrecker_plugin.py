"""A plugin for tests that signals what runs it, at a frame of the test's choice."""

import os
import signal
import threading
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from forgesyte_sdk import Frame, Plugin, Tool, ToolOptions


class Number(BaseModel):
    """The frame's own number."""

    index: int


class WreckOptions(ToolOptions):
    """Whom it signals, how, and at which frame."""

    at: int = 5
    whom: Literal["zygote", "runner"] = "zygote"
    how: Literal["SIGKILL", "SIGSTOP"] = "SIGKILL"


class Wreck(Tool[WreckOptions, Number]):
    """Signals the zygote or the runner at frame `at`, and waits for what comes of it."""

    name = "wreck"
    Options = WreckOptions
    Output = Number

    def process_frame(self, frame: Frame) -> Number:
        if frame.index == self.options.at:
            zygote = os.getppid()
            runner = int(Path(f"/proc/{zygote}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(zygote if self.options.whom == "zygote" else runner, signal.Signals[self.options.how])
            threading.Event().wait()
        return Number(index=frame.index)


class Wrecker(Plugin):
    """The plugin behind the tool."""

    name = "wrecker"
    version = "0.1.0"
    description = "For tests."
    tools = (Wreck,)
