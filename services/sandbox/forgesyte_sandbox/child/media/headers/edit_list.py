"""What the edit list of an MP4's track shows, and whether every player shows the same.

FFmpeg follows all of the list, and so does the job. Browsers agree with it on where the first shown picture lies and
how long nothing is shown before it; on the rest they differ, and some ignore it.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice, repeat
from operator import mul

_CUTS = "an edit list cuts pictures out or pauses behind the first one that it shows"
_LAST = 32
"""Samples at the end of a track among which its last picture is looked for: decoders reorder by at most 16."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry.

    Attributes:
        ticks: how long it lasts, in ticks of the movie.
        media_time: where it begins in the track, in the track's ticks; negative for one that shows nothing.
        is_steady: whether it is shown at the speed of the track.
    """

    ticks: int
    media_time: int
    is_steady: bool

    @property
    def is_empty(self) -> bool:
        """Whether it shows nothing for a while."""
        return self.media_time < 0


@dataclass(slots=True)
class SampleTimes:
    """When the last samples of a track are shown, as its tables of runs state it."""

    _ticks: int = 0
    _lengths: list[int] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)

    def take_lengths(self, runs: "array[int]") -> None:
        """Take the table of how long each sample lasts: pairs of how many, and of ticks."""
        self._ticks = sum(map(mul, islice(runs, 0, None, 2), islice(runs, 1, None, 2)))
        self._lengths = _from_the_end(runs)

    def take_offsets(self, runs: "array[int]") -> None:
        """Take the table of how much later than decoded each sample is shown."""
        self._offsets = [ticks - (1 << 32) if ticks >> 31 else ticks for ticks in _from_the_end(runs)]

    @property
    def last(self) -> int | None:
        """When the last picture begins, in ticks; None when the track itself lists no samples."""
        starts = accumulate(self._lengths, lambda at, ticks: at - ticks, initial=self._ticks)
        shown = zip(islice(starts, 1, None), chain(self._offsets, repeat(0)), strict=False)
        return max((start + offset for start, offset in shown), default=None)


def against_edits(edits: Sequence[Edit], last: int | None, *, ticks_ratio: float, is_fragmented: bool) -> str | None:
    """Say in a clause what speaks against players agreeing; None when they do.

    Args:
        edits: all entries.
        last: when the last picture of the track begins; None when the track lists none.
        ticks_ratio: ticks of the track per tick of the movie.
        is_fragmented: whether pieces follow the movie's header; then an edit without length lasts to the end.
    """
    if not edits:
        return None
    shown = edits[-1]
    if shown.is_empty or any(not edit.is_empty for edit in edits[:-1]) or len(edits) > 2:
        return _CUTS
    if not shown.is_steady:
        return "an edit list changes the speed of its pictures"
    is_open = is_fragmented and shown.ticks == 0
    if last is not None and not is_open and shown.media_time + round(shown.ticks * ticks_ratio) <= last:
        return _CUTS
    return None


def _from_the_end(runs: "array[int]") -> list[int]:
    """Return the values of the last samples, the last one first."""
    tail = runs[-2 * _LAST :]
    values = (repeat(value, min(count, _LAST)) for value, count in zip(tail[::-2], tail[-2::-2], strict=True))
    return list(islice(chain.from_iterable(values), _LAST))
