"""A video file: which stream to decode, how it is coded, what the container claims.

Only video containers are opened, recognised by their content and never by their name. The demuxer is given an open
descriptor and no other protocol, so a crafted file (playlist, concat script, external tracks) cannot make the sandbox
open another file or a connection.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from forgesyte_contracts.media import ACCEPTED_MEDIA
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal

from .frame_count import Basis, count_frames
from .headers.mp4_boxes import missing_index
from .headers.signature import HEAD_BYTES, UNKNOWN, recognise
from .sparse_file import SparseFile

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ogg", "mxf",
    "h264", "hevc", "ivf", "nut", "obu",
)  # fmt: skip
_TIMELESS = frozenset({"h264", "hevc", "mpegvideo", "obu"})
_OPEN_BYTES = 16 << 20
_MAX_FPS = 1000


@dataclass(frozen=True, slots=True)
class Claims:
    """What the container says before anything is decoded.

    Attributes:
        codec: its short name, such as h264.
        fps: frames per second on average; None for an image and where the file does not say.
        frames: how many there should be; None when the file does not say.
        basis: how far `frames` can be trusted.
    """

    codec: str
    fps: float | None
    frames: int | None
    basis: Basis = Basis.COMPUTED

    @property
    def frames_exact(self) -> bool:
        """Whether `frames` was counted in a complete index."""
        return self.frames is not None and self.basis is Basis.COUNTED


def open_video(file: Path | SparseFile) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its first video stream (cover art does not count).

    Raises:
        Refusal: MEDIA_INVALID, with what was found and what is accepted.
        MemoryError: the demuxer was refused memory.
    """
    container = _open_path(file) if isinstance(file, Path) else _open_kept(file)
    chosen = next((stream for stream in container.streams.video if _is_decodable(stream)), None)
    if chosen is None:
        raise media_invalid(_no_video(container, file))
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = av.stream.Discard.all  # sound and subtitles are not even read
    chosen.codec_context.thread_count = 1
    chosen.codec_context.thread_type = "NONE"
    return container, chosen


def count_streams(container: InputContainer) -> dict[str, int]:
    """Count the streams by kind; cover art is `cover` and not `video`."""
    return dict(Counter("cover" if _is_cover(stream) else stream.type for stream in container.streams))


def claims_of(container: InputContainer, stream: VideoStream, *, size_bytes: int) -> Claims:
    """Read codec, rate and the number of frames the container suggests.

    Args:
        container: an open one.
        stream: the chosen stream of it.
        size_bytes: of the whole file; shows whether an index can be believed.
    """
    rates = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    if container.format.name in _TIMELESS:  # their average rate is FFmpeg's own default of 25
        rates.insert(0, stream.guessed_rate)
    rate = next((each for each in rates if each), None)
    fps = float(rate) if rate and 0 < rate <= _MAX_FPS else None
    frames, basis = count_frames(container, stream, fps=fps, size_bytes=size_bytes)
    return Claims(codec_of(stream), fps, frames, basis)


def codec_of(stream: VideoStream) -> str:
    """Return the codec's short name, whichever decoder reads it: av1 and not libdav1d."""
    return str(stream.codec_context.codec.canonical_name)


def require_headroom(size_bytes: int) -> None:
    """Make sure that memory is not short; called whenever FFmpeg reports damage.

    Some of its decoders report a refused allocation as "invalid data"; an allocation of our own shows which it was.

    Raises:
        MemoryError: `size_bytes` could not be allocated.
    """
    bytes(size_bytes)  # never touched, unlike a bytearray: costs two system calls


def frame_bytes(stream: VideoStream) -> int:
    """Return what a decoder may allocate at once for a stream: four frames of its size, at least 16 MiB."""
    return max(4 * 3 * stream.codec_context.width * stream.codec_context.height // 2, _OPEN_BYTES)


def media_invalid(found: str, *, kind: str = "video") -> Refusal:
    """Return the refusal for a file that is no usable video (or image, as `kind` says)."""
    return Refusal(Code.MEDIA_INVALID, f"{found}; expected {ACCEPTED_MEDIA[kind]}", error_type="MediaInvalid")


def _open_path(path: Path) -> InputContainer:
    file = SparseFile(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:  # FFmpeg makes a descriptor of its own from it
            return _open(file, "fd:", {"fd": str(descriptor), "protocol_whitelist": "fd"})
        finally:
            os.close(descriptor)
    finally:
        file.close()


def _open_kept(file: SparseFile) -> InputContainer:
    return _open(file, file, {"protocol_whitelist": "none"})


def _open(file: SparseFile, source: str | SparseFile, options: dict[str, str]) -> InputContainer:
    _refuse_other_kinds(file)
    try:
        return av.open(source, mode="r", options={**options, "format_whitelist": ",".join(_CONTAINERS)})
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        require_headroom(_OPEN_BYTES)
        raise media_invalid(_why_not(file, error)) from None


def _refuse_other_kinds(file: SparseFile) -> None:
    # Before FFmpeg looks: it would read an AVIF image as a video of one frame.
    if file.size == 0:
        raise media_invalid("the file is empty (0 bytes)")
    found = recognise(file.at(0, HEAD_BYTES))
    if found.family == "image":
        hint = "; send it as an image" if found.image else ""
        raise media_invalid(f"the file is {found.name}, not a video{hint}")
    if found.family == "playlist":
        text = f"the file is {found.name}, which only names other files and holds no video itself"
        raise media_invalid(f"{text}; send the video that it names")
    if found.family != "video" and found is not UNKNOWN:
        raise media_invalid(f"the file is {found.name}, not a video")


def _why_not(file: SparseFile, error: Exception) -> str:
    found = recognise(file.at(0, HEAD_BYTES))
    if found is UNKNOWN:
        return f"the file is {found.name}, not a video"
    if "MP4" in found.name and (text := missing_index(file)):
        return text
    if isinstance(error, EOFError):
        return f"the file begins like {found.name} but ends before its first frame"
    reason = str(getattr(error, "strerror", None) or error)[:200]
    return f"the file begins like {found.name} but cannot be opened ({reason})"


def _no_video(container: InputContainer, file: Path | SparseFile) -> str:
    kept = file if isinstance(file, SparseFile) else SparseFile(file)
    try:
        if container.format.name.startswith("mov") and (text := missing_index(kept)):
            return text
    finally:
        if kept is not file:
            kept.close()
    kinds = sorted(count_streams(container))
    if "video" in kinds:
        return "the file holds a video whose codec is unknown here, or whose index is damaged"
    return f"the file holds {', '.join(kinds) or 'nothing'} and no video stream that can be decoded"


def _is_cover(stream: object) -> bool:
    disposition = getattr(stream, "disposition", 0)
    return isinstance(stream, VideoStream) and bool(disposition & av.stream.Disposition.attached_pic)


def _is_decodable(stream: VideoStream) -> bool:
    return not _is_cover(stream) and stream.codec_context is not None
