"""Tools made of plain functions."""

from collections.abc import Callable
from typing import Any

from forgesyte_sdk import EmptyOptions, Frame, Tool, ToolOutput


class Found(ToolOutput):
    """What a function returned for a frame."""

    value: object = None


def tool_of(function: Callable[[Frame], Any]) -> type[Tool[EmptyOptions, Found]]:
    """Return a tool that has the function's name and returns what it returns, which a frame decides alone."""

    class Calling(Tool[EmptyOptions, Found]):
        name = function.__name__.replace("_", "-")

        def process_frame(self, frame):
            return Found(value=function(frame))

    return Calling
