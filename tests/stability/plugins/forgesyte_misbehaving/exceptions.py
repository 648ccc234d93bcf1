"""Faults that raise: every class that can be raised, with texts that are hard to carry."""

import builtins
import sys
import threading

from forgesyte_sdk import Plugin, Tool, ToolOptions

from .making import Anything, faulty


class HoldsLockError(Exception):
    """Cannot be pickled."""

    def __init__(self, lock: object) -> None:
        super().__init__("it holds a lock")
        self.lock = lock


class MuteError(Exception):
    """Fails even when it is asked for its text."""

    def __str__(self):
        raise RuntimeError("no text for you")


@faulty("raises")
def raises():
    raise ValueError("bad frame: naïve text, 50 % of it")


@faulty("raises-unpicklable")
def raises_unpicklable():
    raise HoldsLockError(threading.Lock())


@faulty("raises-mute")
def raises_mute():
    raise MuteError


@faulty("raises-long")
def raises_long():
    raise ValueError("x" * 50_000_000)


@faulty("raises-group")
def raises_group():
    raise ExceptionGroup("two at once", [ValueError("one"), OSError("two")])


@faulty("raises-system-exit")
def raises_system_exit():
    sys.exit(3)


@faulty("raises-keyboard-interrupt")
def raises_keyboard_interrupt():
    raise KeyboardInterrupt("stop that")


@faulty("raises-generator-exit")
def raises_generator_exit():
    raise GeneratorExit("closed")


@faulty("raises-recursion")
def raises_recursion():
    def again():
        again()

    again()


class NameOptions(ToolOptions):
    """Which built-in exception to raise."""

    name: str


class RaiseByName(Tool[NameOptions, Anything]):
    """Raises the built-in exception that its options name, with the text that they name too."""

    name = "raise"

    def process_frame(self, frame):
        kind = getattr(builtins, self.options.name)
        if issubclass(kind, BaseExceptionGroup):
            raise kind("on purpose", [ValueError("inside") if issubclass(kind, Exception) else KeyboardInterrupt()])
        if issubclass(kind, UnicodeDecodeError):
            raise kind("ascii", b"\xff", 0, 1, "on purpose")
        if issubclass(kind, UnicodeEncodeError):
            raise kind("ascii", "\xff", 0, 1, "on purpose")
        if issubclass(kind, UnicodeTranslateError):
            raise kind("\xff", 0, 1, "on purpose")
        raise kind("on purpose")


class Raiser(Plugin):
    """Every exception that Python itself has."""

    name = "raises-by-name"
    version = "1.0.0"
    tools = (RaiseByName,)
