"""Pictures of a video, one after the other, whatever damage lies between them.

A broken packet is counted and skipped; only the demuxer's clean end is the end, and running out of memory is never
mistaken for it. Frames that an edit list hides are left out, as players do not show them. Rejected: cv2.VideoCapture,
which reports both damage and lack of memory as the end of the video.
"""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from forgesyte_sandbox.shared import messages

from .bgr_frames import Shaper
from .decode_memory import estimate_decode_bytes
from .facts.clock import ClockRule, FrameClock
from .facts.frame_count import Basis, duration_s
from .media import DTS_ONLY, TIMELESS, claims_of, frame_bytes, media_invalid, open_video, require_headroom
from .media_limits import MediaGuard
from .source import Picture, Seen
from .sparse_file import SparseFile

_MAX_READ_ERRORS_IN_A_ROW = 1000


class VideoSource:
    """A video as a Source (see source.py for its attributes).

    Attributes:
        container: the open file.
        stream: the one video stream that is decoded.
        memory_bytes: what decoding is estimated to need.
        duration_s: length that the container states; None when it states none.
    """

    def __init__(self, file: Path | SparseFile, allowed: MediaGuard, *, video_stream: int | None = None) -> None:
        self._allowed = allowed
        opened = open_video(file, video_stream)
        self.container, self.stream, self._cut = opened.container, opened.choice.stream, opened.cut
        size_bytes = file.size if isinstance(file, SparseFile) else file.stat().st_size
        self.claims = claims_of(self.container, self.stream, size_bytes=size_bytes)
        self.decoded = 0
        self.corrupt = 0
        self.rotation = 0
        self.decode_ms = 0.0
        self.duration_s = duration_s(self.container, self.stream)
        self.warnings: list[messages.Warning] = []
        if opened.choice.warning:
            self.warnings.append(messages.Warning(opened.choice.warning))
        self.memory_bytes = self._require_fit()
        self._shaper = Shaper(allowed)
        kind = self.container.format.name
        self._clock = FrameClock(
            self.stream, fps=self.claims.fps, is_timeless=kind in TIMELESS, is_dts_only=kind in DTS_ONLY
        )

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first picture, upright; (0, 0) before."""
        return self._shaper.size_wh

    @property
    def seen(self) -> Seen:
        """What is known of the video so far; complete from the first picture on, but for what is measured."""
        nominal, last_ms = self.claims.fps, self._clock.last_ms
        fps = round((self.decoded - 1) * 1000 / last_ms, 6) if self.decoded > 1 and last_ms > 0 else nominal
        colours = self._shaper.colours
        return Seen(
            fps=fps,
            fps_nominal=nominal,
            clock=self._clock.rule.value,
            video_stream=self.stream.index,
            color=None if colours is None else colours.text,
            pixel_aspect=self._pixel_aspect,
            estimated_total=self._estimated_total,
        )

    @property
    def is_as_stated(self) -> bool:
        """Whether, at the end, the pictures were as the file states: none damaged, scaled or given another time."""
        is_altered = self._cut or self.corrupt or self._shaper.scaled or any(self._clock.warnings())
        return not is_altered and self._clock.rule is ClockRule.PTS

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in display order.

        Raises:
            Refusal: MEDIA_INVALID, at the end, when there was none; MEDIA_TOO_LARGE.
            MemoryError: the decoder was refused memory.
        """
        began = time.monotonic()
        for packet in self.packets():
            for frame in self.decode(packet):
                picture = self._picture(frame)
                self.decode_ms += (time.monotonic() - began) * 1000
                yield picture
                began = time.monotonic()
        self.decode_ms += (time.monotonic() - began) * 1000
        self.require_pictures()
        self._warn_of_oddities()

    def packets(self) -> "Iterator[Packet[VideoStream] | None]":
        """Read the stream's packets to its end, skipping what cannot be read; the last ones flush the decoder."""
        head: list[Packet[VideoStream] | None] = []
        packets = self._read()
        for packet in packets:
            head.append(packet)
            if self._clock.has_judged(head):
                break
        yield from head
        yield from packets

    def _read(self) -> "Iterator[Packet[VideoStream] | None]":
        errors_in_a_row = 0
        packets = self.container.demux(self.stream)
        while errors_in_a_row < _MAX_READ_ERRORS_IN_A_ROW:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except MemoryError:
                raise
            except av.error.FFmpegError:
                self._count_damage()
                errors_in_a_row += 1
                packets = self.container.demux(self.stream)
                continue
            errors_in_a_row = 0
            yield packet
        text = f"reading failed {errors_in_a_row} times in a row after frame {self.decoded}; the rest is left out"
        self.warnings.append(messages.Warning(text, severity="high"))
        yield None

    def decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        """Return the frames that this packet completes; damage is counted."""
        self._clock.send(packet)
        try:
            frames = self.stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except EOFError:
            return []  # the decoder is flushed
        except av.error.FFmpegError:
            self._count_damage()
            self._clock.drop()
            return []
        # The demuxer missed a part of it; the decoder did what it could with the rest.
        self.corrupt += packet is not None and packet.is_corrupt
        return frames

    def require_pictures(self) -> None:
        """Refuse, at the end, a video without any picture.

        Raises:
            Refusal: MEDIA_INVALID.
        """
        if self.decoded == 0:
            damage = f"{self.corrupt} packets are broken" if self.corrupt else "it holds 0 frames"
            raise media_invalid(f"no frame could be decoded from the {self.claims.codec} video: {damage}")

    def require_shown(self, frame: VideoFrame) -> None:
        """Refuse a frame larger than allowed.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        self._allowed.require_side(frame.width, frame.height)
        self._allowed.require_memory(
            estimate_decode_bytes(self.claims.codec, frame.format, (frame.width, frame.height)),
            frame.width,
            frame.height,
        )

    def _require_fit(self) -> int:
        coded = self.stream.codec_context
        self._allowed.require_side(coded.width, coded.height)
        if self.claims.frames_exact:
            self._allowed.require_frames(self.claims.frames)
        size_wh = (coded.width, coded.height)
        estimate = estimate_decode_bytes(self.claims.codec, coded.format, size_wh)
        self._allowed.require_memory(estimate, *size_wh)
        return estimate

    def _count_damage(self) -> None:
        require_headroom(frame_bytes(self.stream))
        self.corrupt += 1

    def _picture(self, frame: VideoFrame) -> Picture:
        if frame.is_corrupt:
            self.corrupt += 1
        self._allowed.require_frames(self.decoded + 1)
        image = self._shaper.shape(frame)
        if self.decoded == 0:
            self.rotation = self._shaper.turn.clockwise
        timestamp_ms = self._clock.timestamp_ms(frame)
        picture = Picture(image, self.decoded, timestamp_ms, self._clock.last_us)
        self.decoded += 1
        return picture

    def _warn_of_oddities(self) -> None:
        if self._shaper.scaled:
            width, height = self.size_wh
            text = f"{self._shaper.scaled} frames differ in size from the first"
            self.warnings.append(messages.Warning(f"{text} and were scaled to its {width} x {height} pixels"))
        if self._cut and self.claims.basis is Basis.COMPUTED:  # else the number of frames shows it
            self.warnings.append(messages.Warning(f"the file is cut off: {self._cut}", severity="high"))
        if self._shaper.colours is not None and self._shaper.colours.warning:
            self.warnings.append(messages.Warning(self._shaper.colours.warning))
        if self._shaper.turn.is_rounded:
            text = "the file asks for a turn that is no multiple of 90 degrees"
            self.warnings.append(messages.Warning(f"{text}; its pictures were turned by {self.rotation} degrees"))
        self.warnings += self._clock.warnings()

    @property
    def _pixel_aspect(self) -> str:
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        aspect = Fraction(aspect.numerator, aspect.denominator)
        if self._shaper.turn.is_sideways:
            aspect = 1 / aspect
        return f"{aspect.numerator}:{aspect.denominator}"

    @property
    def _estimated_total(self) -> int | None:
        """Frames by the share of the stated length that has passed: right at a variable rate, too, in the end."""
        stated, last_ms = self.claims.frames, self._clock.last_ms
        if self.claims.basis is not Basis.COMPUTED or self.duration_s is None or last_ms <= 0:
            return stated
        step_ms = last_ms / (self.decoded - 1) if self.decoded > 1 else 0.0
        return max(self.decoded, round(self.decoded * self.duration_s * 1000 / (last_ms + step_ms)))
