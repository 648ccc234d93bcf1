"""Which video stream of a file is analysed.

Covers are passed over, flagged or not. Of the others the one with the default flag is taken, as players do, else the
largest. What is left out is named, and can be chosen by the index that ffprobe prints.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal

from .frame_count import stated_s

_IMAGES = frozenset({"mjpeg", "png", "bmp", "gif", "tiff", "webp", "jpegls"})
_STILL_SHARE = 0.2
_Flag = av.stream.Disposition
_NO_VIDEO = _Flag.attached_pic | _Flag.timed_thumbnails | _Flag.still_image


@dataclass(frozen=True, slots=True)
class Choice:
    """The stream that is decoded, and the other video streams that could be."""

    stream: VideoStream
    others: tuple[VideoStream, ...] = ()

    @property
    def warning(self) -> str | None:
        """What the user should know; None when there was no choice."""
        if not self.others:
            return None
        left_out = ", ".join(map(_name, self.others))
        text = f"the file holds {len(self.others) + 1} videos: {_name(self.stream)} is used, {left_out} is left out"
        return f"{text}; choose another one with video_stream"


def choose_stream(container: InputContainer, wanted: int | None) -> Choice | None:
    """Choose a video stream.

    Args:
        container: an open one.
        wanted: index of the stream among all of the file, as ffprobe prints it; None leaves the choice.

    Returns:
        None when there is no video.

    Raises:
        Refusal: REQUEST_INVALID, when the wanted stream is no video.
    """
    decodable = [stream for stream in container.streams.video if stream.codec_context is not None]
    if wanted is not None:
        return Choice(_wanted(container, decodable, wanted))
    videos = [stream for stream in decodable if not stream.disposition & _NO_VIDEO]
    if not videos:  # a file of stills alone, none of them a cover
        videos = [stream for stream in decodable if not is_cover(stream)]
    if not videos:
        return None
    moving = _first_of((stream for stream in videos if not _is_still(container, stream)), videos)
    coded = _first_of((stream for stream in moving if _codec(stream) not in _IMAGES), moving)
    flagged = _first_of((stream for stream in coded if stream.disposition & _Flag.default), coded)
    chosen = max(flagged, key=lambda stream: (_pixels(stream), -stream.index))
    return Choice(chosen, tuple(stream for stream in moving if stream is not chosen))


def count_streams(container: InputContainer) -> dict[str, int]:
    """Count the streams by kind; cover art is `cover` and not `video`."""
    return dict(Counter("cover" if is_cover(stream) else stream.type for stream in container.streams))


def is_cover(stream: object) -> bool:
    """Whether a stream is a picture attached to the file."""
    return isinstance(stream, VideoStream) and bool(stream.disposition & _Flag.attached_pic)


def _wanted(container: InputContainer, decodable: list[VideoStream], wanted: int) -> VideoStream:
    for stream in decodable:
        if stream.index == wanted:
            return stream
    known = ", ".join(map(_name, decodable)) or "none"
    what = (
        f"stream {wanted} is {container.streams[wanted].type}"
        if 0 <= wanted < len(container.streams)
        else (f"the file has {len(container.streams)} streams")
    )
    text = f"video_stream is {wanted}, but {what}; expected the index of a video stream, as ffprobe prints it: {known}"
    raise Refusal(Code.REQUEST_INVALID, text, error_type="StreamUnknown")


def _first_of(some: Iterable[VideoStream], all_: list[VideoStream]) -> list[VideoStream]:
    return list(some) or all_


def _is_still(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether a stream is one picture: by its number of frames, or by how little of the file it lasts."""
    if stream.frames or _codec(stream) not in _IMAGES:
        return stream.frames == 1
    own_s, whole_s = stated_s(stream), (container.duration or 0) / av.time_base
    return own_s is not None and own_s < _STILL_SHARE * whole_s


def _codec(stream: VideoStream) -> str:
    return str(stream.codec_context.codec.canonical_name)


def _pixels(stream: VideoStream) -> int:
    return int(stream.codec_context.width * stream.codec_context.height)


def _name(stream: VideoStream) -> str:
    coded = stream.codec_context
    return f"stream {stream.index} ({coded.width} x {coded.height}, {_codec(stream)})"
