"""Pictures of a video, one after the other, whatever damage lies between them.

A broken packet is counted and gone over; only the demuxer's clean end is the end, and want of memory is never taken
for it. Rejected: cv2.VideoCapture, which reports both damage and want of memory as the end of the video.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from forgesyte_sdk import Image

from .media import claims_of, frame_bytes, media_invalid, open_video, require_headroom

_MAX_READ_ERRORS_IN_A_ROW = 1000


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame: upright BGR pixels, index from 0, milliseconds after the first frame."""

    image: Image
    index: int
    timestamp_ms: float


class Decoder:
    """One pass over one file. Its counters may be read from another thread while it works.

    Attributes:
        claims: what the container says.
        decoded: pictures given so far.
        corrupt: packets and pictures with damage so far.
        rotation: degrees clockwise by which pictures are turned upright; known from the first picture on.
        size_wh: of the first picture, upright; (0, 0) before.
        decode_ms: time spent in reading, decoding and converting.
        warnings: what the user should know; appended to, never shortened.
    """

    def __init__(self, path: Path) -> None:
        self._container, self._stream = open_video(path)
        self.claims = claims_of(self._container, self._stream)
        self.decoded = 0
        self.corrupt = 0
        self.rotation = 0
        self.size_wh = (0, 0)
        self.decode_ms = 0.0
        self.warnings: list[str] = []
        self._first_ms: float | None = None
        self._last_ms = 0.0
        self._reformatter = VideoReformatter()

    def pictures(self) -> Iterator[Picture]:
        """Give the pictures in the order they are shown.

        Raises:
            Refusal: MEDIA_INVALID, at the end, when there was none.
            MemoryError: the decoder was refused memory.
        """
        began = time.monotonic()
        for packet in self._packets():
            for frame in self._decode(packet):
                picture = self._picture(frame)
                self.decode_ms += (time.monotonic() - began) * 1000
                yield picture
                began = time.monotonic()
        self.decode_ms += (time.monotonic() - began) * 1000
        if self.decoded == 0:
            raise media_invalid(f"no picture could be decoded ({self.claims.codec}, {self.corrupt} broken packets)")

    def _packets(self) -> "Iterator[Packet[VideoStream] | None]":
        errors_in_a_row = 0
        packets = self._container.demux(self._stream)
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
                packets = self._container.demux(self._stream)
                continue
            errors_in_a_row = 0
            yield packet
        self.warnings.append(f"reading failed {errors_in_a_row} times in a row after frame {self.decoded}; gave up")
        yield None

    def _decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        try:
            return self._stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except EOFError:
            return []  # the decoder is flushed
        except av.error.FFmpegError:
            self._count_damage()
            return []

    def _count_damage(self) -> None:
        require_headroom(frame_bytes(self._stream))
        self.corrupt += 1

    def _picture(self, frame: VideoFrame) -> Picture:
        if frame.is_corrupt:
            self.corrupt += 1
        image = self._reformatter.reformat(frame, format="bgr24").to_ndarray()
        turns = round(frame.rotation / 90) % 4
        if turns:
            image = np.rot90(image, k=turns)
        if self.decoded == 0:
            self.rotation = -turns % 4 * 90
            self.size_wh = (image.shape[1], image.shape[0])
        picture = Picture(np.ascontiguousarray(image), self.decoded, self._timestamp_ms(frame))
        self.decoded += 1
        return picture

    def _timestamp_ms(self, frame: VideoFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            # Raw streams carry no times: count on by the rate, as a player does.
            shown_ms = self._last_ms + (1000 / self.claims.fps if self.claims.fps and self.decoded else 0.0)
        else:
            shown_ms = float(frame.pts * frame.time_base * 1000)
        if self._first_ms is None:
            self._first_ms = shown_ms
        self._last_ms = shown_ms
        return round(shown_ms - self._first_ms, 3)
