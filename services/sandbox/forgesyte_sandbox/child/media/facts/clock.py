"""The time of every frame: the one place that decides it, for the rows and for the annotated video alike.

Containers differ in what they know. MP4, Matroska and MPEG-TS say when each frame is shown. AVI and ASF only say when
each is decoded; so do files of other kinds that were written without care (pts = dts although frames are reordered). A
decoder returns frames in the order in which they are shown, so times are taken in rising order. A frame that waits for
others to be decoded is shown when the last of them is: a decoder that holds back two frames returns the k-th frame at
the time of the (k + 2)-th packet, and the last two go on at the rate. Players do the same. (The presentation times that
FFmpeg makes up for AVI and ASF come from a parser that does not always know the order or the rate; they only tell which
frame belongs to which packet.) Raw streams say nothing, and some files say 0 for every frame: these frames are counted
on by the rate.

Whatever a file says, times never decrease and never lie before the first frame. What had to be repaired is told at the
end. The same decision is kept on the container's own timeline, in microseconds: there the first frame is where the file
has it (after an edit list, as FFmpeg reads it), so that a player's timestamps can be looked up.

Rejected: sorting always (after damage, times of frames that never came would be given to later ones).
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from forgesyte_sandbox.shared import messages

USUAL_FPS = 25.0
"""Frames per second where a file says neither times nor a rate; FFmpeg's own default."""

_MOST_REORDERED = 16
"""Frames that may be decoded before one that is shown earlier: the most that H.264 and HEVC allow."""

_PACKETS_TO_JUDGE = 32
_MOST_WAITING = 256
_MAX_KEPT_GAP_S = 6 * 3600


class ClockRule(StrEnum):
    """By which rule the times were made: the values of `decode.clock`."""

    PTS = "pts"
    BEST_EFFORT = "best_effort"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True, order=True)
class _Sent:
    """The time of a packet that the decoder was given. A stretch ends where the file's clock jumps back.

    Attributes:
        mark: what its frame will carry; it tells which frame belongs to the packet.
    """

    stretch: int
    ticks: int
    number: int
    mark: int


class FrameClock:
    """Milliseconds after the first frame. It is shown each packet before the decoder, and each frame that comes.

    Attributes:
        rule: by which rule the times are made; changes from PTS to BEST_EFFORT when the file's own times do not do.
        last_ms: time of the newest frame.
        last_us: the same on the container's timeline, in whole microseconds: the timestamp that FFmpeg gives, where the
            file states when frames are shown; else what is decided here, behind the first frame's timestamp.
    """

    def __init__(
        self, stream: VideoStream, *, fps: float | None, is_timeless: bool = False, is_dts_only: bool = False
    ) -> None:
        """Begin before the first packet.

        Args:
            stream: the decoded one.
            fps: frames per second that the file announces.
            is_timeless: the container has no times at all; those that FFmpeg makes up for it are not used.
            is_dts_only: the container has decoding times alone, as AVI and ASF have.
        """
        self._stream = stream
        self._announces_rate = fps is not None
        self._fps = fps or USUAL_FPS
        self._time_base = stream.time_base or Fraction(1, 1000)
        self._step = max(1, round(1 / (self._fps * float(self._time_base))))
        self._is_timeless = is_timeless
        self._is_dts_only = is_dts_only
        self.rule = ClockRule.COUNTED if is_timeless else ClockRule.PTS
        self.last_ms = 0.0
        self.last_us = self._begin_us = 0
        self._times: list[_Sent] = []  # not yet shown, the earliest first
        self._coming: list[_Sent] = []  # packets whose frames have not come, in the order of decoding
        self._newest: _Sent | None = None
        self._newest_dts: int | None = None
        self._are_rising = True
        self._index = -1
        self._stretch = self._shift = self._first = self._last = self._step_before = self._lead = 0
        self._delay = 0  # what decoding comes before showing, once the order of decoding is all that is known
        self._tail = (0, 0, -2)  # a time behind which there is none, how many frames came behind it, the last of them
        self._equal = self._breaks = self._repaired = self._gaps = 0

    def has_judged(self, packets: "Sequence[Packet[VideoStream] | None]") -> bool:
        """Tell whether the first packets show if the file has usable times; if it has none, frames are counted.

        Args:
            packets: all that were read so far; an empty one, or None, is the end of the file.
        """
        held = [packet for packet in packets if packet is not None and packet.size]
        times = {_time_of(packet) for packet in held}
        is_over = len(held) < len(packets)
        if self.rule is ClockRule.COUNTED or len(times) > 1:
            return True
        if len(held) > 1 and (is_over or len(held) >= _PACKETS_TO_JUDGE):
            self.rule = ClockRule.COUNTED
        return is_over or self.rule is ClockRule.COUNTED

    def send(self, packet: "Packet[VideoStream] | None") -> None:
        """Note a packet that the decoder is about to be given."""
        if packet is None or not packet.size or packet.is_discard or self.rule is ClockRule.COUNTED:
            return
        before = self._newest
        stretch = 0 if before is None else before.stretch
        if packet.dts is not None:
            stretch += self._newest_dts is not None and packet.dts < self._newest_dts
            self._newest_dts = packet.dts
        mark = _time_of(packet)
        ticks = packet.dts if self._is_dts_only and packet.dts is not None else mark
        if ticks is None:
            if before is None:
                return  # before all times: its frame goes without, and the next ones come up to it
            ticks = before.ticks + self._step
        sent = _Sent(stretch, ticks, 0 if before is None else before.number + 1, ticks if mark is None else mark)
        self._are_rising &= before is None or (before.stretch, before.ticks) < (stretch, ticks)
        self._newest = sent
        self._coming.append(sent)
        insort(self._times, sent)
        if len(self._coming) > _MOST_WAITING:
            self._forget(self._coming[0])

    def drop(self) -> None:
        """Note that the packet sent last is broken: no frame will come of it."""
        if self._newest is not None and self._newest in self._coming:
            self._forget(self._newest)

    def timestamp_ms(self, frame: VideoFrame) -> float:
        """Return the next frame's time, never below that of the frame before; called once per frame, in order."""
        self._index += 1
        if self.rule is ClockRule.COUNTED:
            return self._count(frame)
        stretch, ticks = self._choose(frame)
        shown = self._rising(stretch, ticks)
        if self._index == 0:
            self._first = shown
            self._lead = frame.pts - shown if self._is_dts_only and frame.pts is not None else 0
        else:
            self._step_before = shown - self._last
            self._equal += shown == self._last
            self._gaps += (shown - self._last) * self._time_base > _MAX_KEPT_GAP_S
        self._last = shown
        self.last_ms = round(float((shown - self._first) * self._time_base * 1000), 3)
        self.last_us = self._microseconds(shown + self._lead)
        return self.last_ms

    def warnings(self) -> Iterator[messages.Warning]:
        """Yield what the user should know about the times, when all frames have come."""
        if self.rule is ClockRule.COUNTED and not self._is_timeless:
            rate = "the rate that the file announces" if self._announces_rate else "the usual rate"
            text = "the frames carry no times, or all the same one"
            yield messages.Warning(f"{text}; timestamp_ms was counted on at {self._fps:g} frames per second, {rate}")
        if self._repaired:
            text = "the presentation times in the file do not fit the order in which its frames are shown"
            yield messages.Warning(f"{text}; they were sorted, so timestamp_ms follows that order")
        if self._breaks:
            text = f"the clock of the file jumps back {self._breaks} times"
            yield messages.Warning(f"{text}; timestamp_ms goes on there one frame after the frame before")
        if self._equal:
            text = f"{self._equal} frames carry the same time as the frame before"
            yield messages.Warning(f"{text}; timestamp_ms is equal there")
        if self._gaps:
            text = f"{self._gaps} frames come more than {_MAX_KEPT_GAP_S // 3600} hours after the frame before"
            yield messages.Warning(f"{text}; an annotated video shows them one frame later")

    def _count(self, frame: VideoFrame) -> float:
        if self._index == 0 and frame.pts is not None:
            self._begin_us = self._microseconds(frame.pts)
        self.last_ms = round(self._index * 1000 / self._fps, 3)
        self.last_us = _bounded(self._begin_us + round(self._index * 1_000_000 / self._fps))
        return self.last_ms

    def _microseconds(self, ticks: int) -> int:
        """Convert a time of the stream; halves go away from zero, as with FFmpeg and the players that use it."""
        over, under = 2_000_000 * self._time_base.numerator, 2 * self._time_base.denominator
        rounded = (abs(ticks) * over + under // 2) // under
        return _bounded(rounded if ticks >= 0 else -rounded)

    def _choose(self, frame: VideoFrame) -> tuple[int, int]:
        """Return stretch and ticks of the frame that comes next."""
        own, least = frame.pts, self._times[0] if self._times else None
        mine = next((sent for sent in self._coming if sent.mark == own), None)
        if mine is None:
            return self._choose_unknown(own, least)
        if self._index == 0 and frame.key_frame:  # what was sent before the first keyframe cannot be decoded
            for sent in [sent for sent in self._coming if sent.number < mine.number]:
                self._forget(sent)
            least = self._times[0]
        if self._is_dts_only and self._reorders:
            self._sort()
        if self.rule is ClockRule.PTS and (mine.stretch, mine.ticks) != (
            least and least.stretch,
            least and least.ticks,
        ):
            if self._is_order_unknown:
                self._sort()
                self._repaired += not self._is_dts_only
            else:  # what should have come before was lost to damage, or is never shown
                for sent in [sent for sent in self._coming if (sent.stretch, sent.ticks) < (mine.stretch, mine.ticks)]:
                    self._forget(sent)
        return self._take(mine)

    def _choose_unknown(self, own: int | None, least: _Sent | None) -> tuple[int, int]:
        # The second frame of a packet has its packet's time; a frame without any takes the next time there is.
        if own is not None:
            return self._stretch, own - self._delay
        if least is None:
            return self._behind_all()
        self._sort()
        del self._coming[:1]
        return self._next()

    def _sort(self) -> None:
        """Begin to take times in rising order, each by as many frames later as the decoder holds back."""
        if self.rule is ClockRule.BEST_EFFORT:
            return
        self.rule = ClockRule.BEST_EFFORT
        held_back = self._times[: len(self._times) - 1]
        del self._times[: len(held_back)]
        if held_back and self._index > 0:
            self._delay = held_back[-1].ticks - (self._last - self._shift)

    def _next(self) -> tuple[int, int]:
        """Return the earliest time that is left."""
        if not self._times:
            return self._behind_all()
        shown = self._times.pop(0)
        return shown.stretch, shown.ticks - self._delay

    def _behind_all(self) -> tuple[int, int]:
        """Return the time of a frame behind all times of the file: the steps before it go on."""
        begins, count, newest = self._tail
        if newest != self._index - 1:  # since then the file had times again
            begins, count = self._last, 0
        self._tail = begins, count + 1, self._index
        exact = 1 / (self._fps * float(self._time_base))
        step = exact if self._index < 2 or abs(self._step_before - exact) < 1 else self._step_before
        return self._stretch, begins - self._shift + round(step * (count + 1))

    def _take(self, mine: _Sent) -> tuple[int, int]:
        """Take a frame's packet off what is coming, and its time off the times."""
        self._coming.remove(mine)
        if self.rule is ClockRule.PTS:
            self._times.remove(mine)
            return mine.stretch, mine.ticks
        for lost in [sent for sent in self._coming if sent.number < mine.number - _MOST_REORDERED]:
            self._forget(lost)
        return self._next()

    def _forget(self, sent: _Sent) -> None:
        self._coming.remove(sent)
        if sent in self._times:
            self._times.remove(sent)
        else:  # another frame was shown at its time
            del self._times[:1]

    @property
    def _is_order_unknown(self) -> bool:
        """Whether the times tell when frames are decoded: they rise in that order, and frames are shown in another."""
        return self._is_dts_only or (self._are_rising and self._reorders)

    @property
    def _reorders(self) -> bool:
        return bool(self._stream.codec_context.has_b_frames)

    def _rising(self, stretch: int, ticks: int) -> int:
        """Return the time on the job's own clock, which goes on where the file's jumps back."""
        shown = ticks + self._shift
        if self._index == 0:
            self._stretch = stretch
            return shown
        if shown < self._last:
            if stretch > self._stretch or self._last - shown > _MOST_REORDERED * self._step:
                self._breaks += 1
                shown = self._last + self._step
                self._shift = shown - ticks
            else:
                self._repaired += 1
                self.rule = ClockRule.BEST_EFFORT
                shown = self._last
        self._stretch = max(stretch, self._stretch)
        return shown


def _time_of(packet: "Packet[VideoStream]") -> int | None:
    return packet.dts if packet.pts is None else packet.pts


def _bounded(time_us: int) -> int:
    """Keep a time that a broken file states within what a row may say."""
    return max(-messages.MAX_TIME_US, min(time_us, messages.MAX_TIME_US))
