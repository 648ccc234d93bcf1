"""The plugin: at one frame it runs one attempt, and then goes on as if nothing had been."""

import ctypes
import os
import signal
import threading
from pathlib import Path
from typing import Any

from forgesyte_sdk import Plugin, PluginLimits, Tool, ToolOptions, ToolOutput

from . import files, kernel, network, processes
from .attempting import ATTEMPTS, Targets, own_input, result_of
from .limits import GREEDY

AT_FRAME = 1
PAUSE = threading.Event()
"""Waited for in short turns: a signal that comes just before a longer wait would be noted after it."""

MODULES = (files, processes, network, kernel)
"""The groups, in the order of the table."""


class Anything(ToolOutput):
    """What an attempt gave."""

    value: object = None


class EscapeOptions(ToolOptions):
    """Which attempts, on which targets; each has a signal that is its own."""

    attempts: list[str]
    signals: dict[str, int]
    targets: dict[str, Any]


class Escape(Tool[EscapeOptions, Anything]):
    """Tries one thing a frame, from frame 1 on."""

    name = "escape"

    def process_frame(self, frame):
        options, at = self.options, frame.index - AT_FRAME
        if not 0 <= at < len(options.attempts):
            return Anything(value=None)
        name = options.attempts[at]
        targets = Targets(**options.targets, signal=options.signals.get(name, 0))
        return Anything(value=result_of(ATTEMPTS[name].act, targets))


class GreedOptions(ToolOptions):
    """What it takes."""

    what: str


class Greed(Tool[GreedOptions, Anything]):
    """Takes too much of one thing at frame 1."""

    name = "greed"

    def process_frame(self, frame):
        return Anything(value=GREEDY[self.options.what]() if frame.index == AT_FRAME else frame.index)


class StandOptions(ToolOptions):
    """What it guards."""

    secret: str
    input_size: int
    to_all: int


class Stand(Tool[StandOptions, Anything]):
    """The job beside the attempts: holds a secret, notes every signal, and stands until it is cancelled."""

    name = "stand"

    def process_frame(self, frame):
        if frame.index == 0:
            return Anything(value=self.settle())
        while True:
            PAUSE.wait(0.02)

    def settle(self) -> dict[str, Any]:
        secret = self.options.secret.encode()
        Path("notes").write_bytes(secret)
        self.buffer = ctypes.create_string_buffer(secret)
        heard = os.open("heard", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        note_signals(heard, self.options.to_all)
        child = os.fork()
        if child == 0:
            while True:
                PAUSE.wait(0.02)
        return {
            "pid": os.getpid(), "child": child, "scratch": os.getcwd(), "address": ctypes.addressof(self.buffer),  # noqa: PTH109 - a str
            "input": own_input(Targets(input_size=self.options.input_size)),
        }  # fmt: skip


def note_signals(descriptor: int, to_all: int) -> None:
    """Write the number of every signal that comes, of `to_all` and those of real time, into a file."""

    def note(number: int, _: object) -> None:
        os.write(descriptor, f"{number}\n".encode())

    for number in (to_all, *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)):
        signal.signal(number, note)


class Escaping(Plugin):
    """Tries to leave its sandbox."""

    name = "escaping"
    version = "1.0.0"
    limits = PluginLimits(frame_timeout_s=600)
    tools = (Escape, Greed, Stand)
