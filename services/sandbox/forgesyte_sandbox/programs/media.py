"""An input file as the decoder sees it: which stream, how it is coded, what the container claims.

Only containers of moving pictures are opened; playlists, concat scripts and network protocols are refused by FFmpeg
itself, so a crafted file can not make the sandbox open another one.
"""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from forgesyte_contracts.problems import Code

from .failures import Refusal

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ogg", "mxf",
    "h264", "hevc", "ivf", "nut",
)  # fmt: skip
_OPEN_BYTES = 16 << 20
_ACCEPTED = "a video with at least one picture, such as MP4, MOV, MKV, WebM, AVI or MPEG-TS"


@dataclass(frozen=True, slots=True)
class Claims:
    """What the container says before anything is decoded. fps in frames a second; frames is only an estimate."""

    codec: str
    fps: float | None
    frames: int | None


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its first video stream (cover pictures of audio files do not count).

    Raises:
        Refusal: MEDIA_INVALID, with what was found and what is accepted.
        MemoryError: the demuxer was refused memory.
    """
    options = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "file"}
    try:
        container = av.open(str(path), options=options)
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        require_headroom(_OPEN_BYTES)
        raise media_invalid(f"the file can not be opened as a video ({_reason(error)})") from None
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            stream.codec_context.thread_count = 1
            stream.codec_context.thread_type = "NONE"
            return container, stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise media_invalid(f"the file ({container.format.name}) holds {kinds} and no video stream that can be decoded")


def claims_of(container: InputContainer, stream: VideoStream) -> Claims:
    """Read codec, rate and the number of frames the container suggests (its count, else duration times rate)."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    fps = float(rate) if rate else None
    frames: int | None = stream.frames or None
    if frames is None and fps is not None:
        if stream.duration is not None and stream.time_base is not None:
            frames = round(float(stream.duration * stream.time_base) * fps)
        elif container.duration is not None:
            frames = round(container.duration / av.time_base * fps)
    return Claims(codec=stream.codec_context.name, fps=fps, frames=frames if frames and frames > 0 else None)


def require_headroom(size_bytes: int) -> None:
    """Make sure that memory is not short; asked whenever FFmpeg reports damage.

    Some of its decoders call a refused allocation "invalid data"; only the allocator knows better.

    Raises:
        MemoryError: `size_bytes` could not be had.
    """
    bytearray(size_bytes)  # never touched: costs two system calls


def frame_bytes(stream: VideoStream) -> int:
    """Give what a decoder may want at once for a stream: four frames of its size, 16 MiB at least."""
    return max(4 * 3 * stream.codec_context.width * stream.codec_context.height // 2, _OPEN_BYTES)


def media_invalid(found: str) -> Refusal:
    """Make the refusal for a file that is no usable video."""
    return Refusal(Code.MEDIA_INVALID, f"{found}; accepted is {_ACCEPTED}", error_type="MediaInvalid")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)[:200]
