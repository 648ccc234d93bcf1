"""A video file: which stream to decode, how it is coded, what the container claims.

Only video containers are opened, recognised by their content and never by their name. The demuxer is given an open
descriptor and no other protocol, so a crafted file (playlist, concat script, external tracks) cannot make the sandbox
open another file or a connection.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from forgesyte_contracts.media import ACCEPTED_MEDIA
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal

from .facts.frame_count import Basis, count_frames
from .facts.streams import Choice, choose_stream, count_streams
from .headers.jpeg_row import is_jpeg_row
from .headers.mp4_boxes import missing_index
from .headers.read_tables import read_tables
from .headers.signature import HEAD_BYTES, UNKNOWN, Signature, recognise
from .headers.tables import Tables
from .media_limits import too_large
from .sparse_file import SparseFile

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ogg", "mxf",
    "h264", "hevc", "ivf", "nut", "obu", "mjpeg",
)  # fmt: skip
TIMELESS = frozenset({"h264", "hevc", "mpegvideo", "obu", "mjpeg"})
"""Containers without any times; those of their packets are made up by FFmpeg."""
DTS_ONLY = frozenset({"avi", "asf"})
"""Containers that say when frames are decoded, and not when they are shown."""
_OPEN_BYTES = 16 << 20
_MAX_FPS = 1000
_MAX_TICK_FPS = 240


@dataclass(frozen=True, slots=True)
class Claims:
    """What the container says before anything is decoded.

    Attributes:
        codec: its short name, such as h264.
        fps: frames per second that the file announces, its nominal rate; None for an image and where it does not say.
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


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """An open file.

    Attributes:
        container: the file.
        choice: which of its streams is decoded.
        cut: what shows that the file ends too early, in a clause; None when nothing does.
    """

    container: InputContainer
    choice: Choice
    cut: str | None = None


def open_video(file: Path | SparseFile, wanted: int | None = None) -> OpenVideo:
    """Open a file and choose its video stream.

    Args:
        file: the file.
        wanted: index of the stream; None leaves the choice (streams.py).

    Raises:
        Refusal: MEDIA_INVALID, with what was found and what is accepted; MEDIA_TOO_LARGE, for tables beyond any use;
            REQUEST_INVALID, when the wanted stream is no video.
        MemoryError: the demuxer was refused memory.
    """
    container, tables = _open_path(file) if isinstance(file, Path) else _open_kept(file)
    choice = choose_stream(container, wanted)
    if choice is None:
        raise media_invalid(_no_video(container, file))
    chosen = choice.stream
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = av.stream.Discard.all  # sound and subtitles are not even read
    chosen.codec_context.thread_count = 1
    chosen.codec_context.thread_type = "NONE"
    return OpenVideo(container, choice, tables.cut)


def claims_of(container: InputContainer, stream: VideoStream, *, size_bytes: int) -> Claims:
    """Read codec, rate and the number of frames the container suggests.

    Args:
        container: an open one.
        stream: the chosen stream of it.
        size_bytes: of the whole file; shows whether an index can be believed.
    """
    # The guessed rate is that of most frames; the average one is what a gap of an hour leaves of it.
    rates = (stream.guessed_rate, stream.average_rate, stream.base_rate)
    # One frame per tick of a fine clock is how FFmpeg says that it found no rate.
    tick_rate = 1 / stream.time_base if stream.time_base else None
    rate = next((each for each in rates if each and each <= (_MAX_FPS if each != tick_rate else _MAX_TICK_FPS)), None)
    fps = float(rate) if rate else None
    frames, basis = count_frames(container, stream, fps=fps, size_bytes=size_bytes)
    return Claims(codec_of(stream), fps, frames, basis)


def codec_of(stream: VideoStream) -> str:
    """Return the codec's short name, whichever decoder reads it: av1 and not libdav1d."""
    return str(stream.codec_context.codec.canonical_name)


def container_name(container: InputContainer, head: bytes) -> str:
    """Return what kind of file it is, in one word: two kinds that FFmpeg reads with the same demuxer are told apart.

    Args:
        container: an open one.
        head: its first 64 bytes or more.
    """
    name = str(container.format.name)
    if name.startswith("mov"):
        return "mov" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    if name.startswith("matroska"):
        return "webm" if b"webm" in head[:64] else "mkv"
    return name.partition(",")[0]


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


def _open_path(path: Path) -> tuple[InputContainer, Tables]:
    file = SparseFile(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:  # FFmpeg makes a descriptor of its own from it
            return _open(file, "fd:", {"fd": str(descriptor), "protocol_whitelist": "fd"})
        finally:
            os.close(descriptor)
    finally:
        file.close()


def _open_kept(file: SparseFile) -> tuple[InputContainer, Tables]:
    return _open(file, file, {"protocol_whitelist": "none"})


def _open(file: SparseFile, source: str | SparseFile, options: dict[str, str]) -> tuple[InputContainer, Tables]:
    found = _refuse_other_kinds(file)
    tables = _sane_tables(file)
    # FFmpeg takes JPEGs that are progressive, longer than the part it looks at, or say JFIF for images and no video.
    form = "mjpeg" if found.image == "jpeg" else None
    options = {**options, "format_whitelist": ",".join(_CONTAINERS)}
    try:
        container = av.open(source, mode="r", format=form, options=options)
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        require_headroom(_OPEN_BYTES)
        raise media_invalid(_why_not(file, error)) from None
    tables.note("tracks", len(container.streams))
    if excess := tables.excess():
        raise too_large(excess)
    return container, tables


def _refuse_other_kinds(file: SparseFile) -> Signature:
    # Before FFmpeg looks: it would read an AVIF image as a video of one frame.
    if file.size == 0:
        raise media_invalid("the file is empty (0 bytes)")
    found = recognise(file.at(0, HEAD_BYTES))
    if found.image == "jpeg" and is_jpeg_row(file.mapped()):
        return found  # motion JPEG
    if found.family == "image":
        hint = "; send it as an image" if found.image else ""
        raise media_invalid(f"the file is {found.name}, not a video{hint}")
    if found.family == "playlist":
        text = f"the file is {found.name}, which only names other files and holds no video itself"
        raise media_invalid(f"{text}; send the video that it names")
    if found.family != "video" and found is not UNKNOWN:
        raise media_invalid(f"the file is {found.name}, not a video")
    return found


def _sane_tables(file: SparseFile) -> Tables:
    # Before FFmpeg looks: it would expand them into memory and work through them at every step.
    tables = read_tables(file)
    if excess := tables.excess():
        raise too_large(f"{excess}; no recorder writes so many, so the file is damaged or malicious")
    if tables.encryption:
        text = f"the video is encrypted {tables.encryption}, and without its key no picture can be decoded"
        raise media_invalid(f"{text}; send a copy that is not encrypted")
    return tables


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
