"""Times of decoded pictures as an MP4 can hold them: each later than the one before, whatever the input says."""

TICKS_A_SECOND = 90_000
"""The resolution of written times: a multiple of the usual frame rates, and 13 hours of it fit into 32 bits."""

MAX_GAP_S = 6 * 3600
"""The longest time that one picture can be shown: MP4 keeps it in 31 bits. media.clock warns of longer ones."""


def microseconds(ticks: int) -> int:
    """Return a written time in microseconds, rounded as players round it.

    >>> microseconds(3003), microseconds(90_000)
    (33367, 1000000)
    """
    return round(ticks * 1_000_000 / TICKS_A_SECOND)


class Mp4Times:
    """Turns milliseconds into ticks. Steps are kept as they are, so that the video has the same clock as the rows.

    A step that no MP4 can hold is closed: the picture comes one frame after the one before, and the later ones keep
    their distance to it.
    """

    def __init__(self, frame_ms: float) -> None:
        self._frame_ms = frame_ms
        self._shift_ms = 0.0
        self._last_ms: float | None = None
        self._last_ticks = -1

    @property
    def frame_ticks(self) -> int:
        """How long the last picture is shown."""
        return max(1, round(self._frame_ms * TICKS_A_SECOND / 1000))

    def ticks(self, timestamp_ms: float) -> int:
        """Return the time of the next picture in ticks; always above the one before."""
        if self._last_ms is not None and timestamp_ms - self._last_ms > MAX_GAP_S * 1000:
            self._shift_ms += self._frame_ms - (timestamp_ms - self._last_ms)
        self._last_ms = timestamp_ms
        wanted = round((timestamp_ms + self._shift_ms) * TICKS_A_SECOND / 1000)
        self._last_ticks = max(wanted, self._last_ticks + 1)
        return self._last_ticks
