"""Pictures of a video, one after the other, whatever damage lies between them.

A broken packet is counted and skipped; only the demuxer's clean end is the end, and running out of memory is never
mistaken for it. Frames that an edit list hides are left out, as players do not show them. Rejected: cv2.VideoCapture,
which reports both damage and lack of memory as the end of the video.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from forgesyte_sandbox.shared import messages

from .bgr_frames import FrameClock, Shaper
from .decode_memory import estimate_decode_bytes
from .media import claims_of, frame_bytes, media_invalid, open_video, require_headroom
from .media_limits import MediaGuard
from .source import Picture
from .sparse_file import SparseFile

_MAX_READ_ERRORS_IN_A_ROW = 1000


class VideoSource:
    """A video as a Source (see source.py for its attributes).

    Attributes:
        container: the open file.
        stream: the one video stream that is decoded.
        memory_bytes: what decoding is estimated to need.
    """

    def __init__(self, file: Path | SparseFile, allowed: MediaGuard) -> None:
        self._allowed = allowed
        self.container, self.stream = open_video(file)
        size_bytes = file.size if isinstance(file, SparseFile) else file.stat().st_size
        self.claims = claims_of(self.container, self.stream, size_bytes=size_bytes)
        self.decoded = 0
        self.corrupt = 0
        self.rotation = 0
        self.decode_ms = 0.0
        self.warnings: list[messages.Warning] = []
        self.memory_bytes = self._require_fit()
        self._shaper = Shaper(allowed)
        self._clock = FrameClock(self.claims.fps)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first picture, upright; (0, 0) before."""
        return self._shaper.size_wh

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
        try:
            frames = self.stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except EOFError:
            return []  # the decoder is flushed
        except av.error.FFmpegError:
            self._count_damage()
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
        picture = Picture(image, self.decoded, self._clock.timestamp_ms(frame))
        self.decoded += 1
        return picture

    def _warn_of_oddities(self) -> None:
        if self._shaper.scaled:
            width, height = self.size_wh
            text = f"{self._shaper.scaled} frames differ in size from the first"
            self.warnings.append(messages.Warning(f"{text} and were scaled to its {width} x {height} pixels"))
        if self._clock.steps_back:
            text = f"{self._clock.steps_back} frames carry a time before that of the previous frame"
            self.warnings.append(messages.Warning(f"{text}; timestamp_ms decreases there"))
