"""How far a program that makes a file has come, told to the parent a few times a second."""

import time
from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.source import Source
from forgesyte_sandbox.shared import messages

_EVERY_S = 0.25
_MOST_PERCENT = 99


class ProgressReport:
    """Tells of one pass over a source; the percentages never fall.

    Nothing is told where the file does not say how many pictures there are.
    """

    def __init__(self, context: Context[Any], source: Source) -> None:
        self._context = context
        self._source = source
        self._told = -1
        self._next_s = 0.0

    def at(self, done: int) -> None:
        """Tell, if it is time again, that this many pictures are done."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _EVERY_S
        total = self._source.seen.estimated_total or self._source.claims.frames
        if not total:
            return
        percent = min(100 * done // total, _MOST_PERCENT)
        if percent > self._told:
            self._told = percent
            self._context.send(messages.Progress(percent))
