"""The clock of the frames beyond what whole files show (tests/media/test_clock.py)."""

from fractions import Fraction
from types import SimpleNamespace

import pytest
from av import Packet, VideoFrame

from forgesyte_sandbox.child.media.facts.clock import FrameClock
from forgesyte_sandbox.shared.messages import MAX_TIME_US


def a_packet(dts):
    packet = Packet(b"a picture")
    packet.pts = packet.dts = dts
    return packet


def a_frame(pts):
    frame = VideoFrame(16, 16)
    frame.pts = pts
    return frame


def test_times_that_run_out_twice_go_on_from_the_last_one_each_time():
    stream = SimpleNamespace(time_base=Fraction(1, 10), codec_context=SimpleNamespace(has_b_frames=2))
    clock = FrameClock(stream, fps=10, is_dts_only=True)
    times_ms = []

    def sends(*decoding_times):
        for dts in decoding_times:
            clock.send(a_packet(dts))

    def comes(number):
        times_ms.append(clock.timestamp_ms(a_frame(number)))

    sends(0, 1, 2)
    comes(0)
    comes(1)  # nothing is left: it goes on at the rate
    sends(4, 5, 6)
    comes(2)
    comes(4)
    comes(5)
    comes(6)  # once more

    assert times_ms == [0, 100, 200, 300, 400, 500]
    assert list(clock.warnings()) == []


def shown_us(ticks, time_base):
    """When the only frame of a file is shown on its timeline."""
    stream = SimpleNamespace(time_base=time_base, codec_context=SimpleNamespace(has_b_frames=0))
    clock = FrameClock(stream, fps=25)
    clock.send(a_packet(ticks))
    assert clock.timestamp_ms(a_frame(ticks)) == 0
    return clock.last_us


@pytest.mark.parametrize(
    ("ticks", "time_base", "expected"),
    [
        (0, Fraction(1, 90_000), 0),
        (45_000, Fraction(1, 90_000), 500_000),
        (1, Fraction(1, 90_000), 11),
        (4, Fraction(1, 12_800), 313),
        (-4, Fraction(1, 12_800), -313),
        (1001, Fraction(1001, 30_000), 33_400_033),
    ],
)
def test_times_are_rounded_as_ffmpeg_rounds_them(ticks, time_base, expected):
    """Halves go away from zero: av_rescale_q, with which browsers make the timestamp of a picture."""
    assert shown_us(ticks, time_base) == expected


@pytest.mark.parametrize(("ticks", "expected"), [(2**62, MAX_TIME_US), (-(2**62), -MAX_TIME_US)])
def test_a_time_that_no_row_may_say_becomes_the_last_that_one_may(ticks, expected):
    assert shown_us(ticks, Fraction(1)) == expected
