"""The clock of the frames beyond what whole files show (tests/media/test_clock.py)."""

from fractions import Fraction
from types import SimpleNamespace

from av import Packet, VideoFrame

from forgesyte_sandbox.child.media.facts.clock import FrameClock


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
