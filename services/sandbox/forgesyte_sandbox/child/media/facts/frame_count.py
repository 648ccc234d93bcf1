"""How many frames a container announces, and whether that was counted or only computed.

A complete MP4 index lists every frame; frames that its edit list hides are not counted, since players do not show them.
Everything else (a number in an AVI header, duration times rate) is only a claim.
"""

import re
from enum import Enum

import av
from av.container import InputContainer
from av.video.stream import VideoStream

_MAX_COUNTED = 1_000_000
_LEAST_FRAME_BYTES = 8
"""Of a frame that an AVI holds: the head of its chunk, be the chunk empty."""
_STATE_THEIR_END = ("matroska", "flv", "nut")
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class Basis(Enum):
    """Where an announced number of frames comes from."""

    COUNTED = "counted in a complete index"
    STATED = "written down by the container"
    COMPUTED = "duration times rate"


def count_frames(
    container: InputContainer, stream: VideoStream, *, fps: float | None, size_bytes: int
) -> tuple[int | None, Basis]:
    """Return the announced number of frames, None when there is none, and where it comes from."""
    counted = _indexed(container, stream, size_bytes)
    if counted is not None:
        return counted
    seconds = duration_s(container, stream)
    if stream.frames * _LEAST_FRAME_BYTES > size_bytes:  # AVI that was written to a pipe says 2^30
        return None, Basis.COMPUTED
    if stream.frames:
        return _stated(container, stream), Basis.STATED
    if fps is None or seconds is None:
        return None, Basis.COMPUTED
    return round(seconds * fps) or None, Basis.COMPUTED


def duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Return the stream's length in seconds, else the container's; None when neither says one.

    Matroska and FLV state the time at which they end, on a clock that may begin at ten hours.
    """
    seconds = stated_s(stream)
    if seconds is not None and stream.duration is not None:
        return seconds if seconds > 0 else None
    if seconds is None and container.duration is not None:
        seconds = container.duration / av.time_base
    if seconds is None:
        return None
    seconds = _without_start(container, seconds)
    return seconds if seconds > 0 else None


def stated_s(stream: VideoStream) -> float | None:
    """Return what is stated of the stream itself, in seconds; None when nothing is."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if match := _DURATION.match(stream.metadata.get("DURATION", "")):
        hours, minutes, rest = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return None


def _without_start(container: InputContainer, end_s: float) -> float:
    start_s = (container.start_time or 0) / av.time_base
    states_its_end = container.format.name.startswith(_STATE_THEIR_END)
    return end_s - start_s if states_its_end and 0 < start_s < end_s else end_s


def _stated(container: InputContainer, stream: VideoStream) -> int:
    # An AVI counts empty chunks too: there the picture before stays on the screen. FFmpeg's index leaves them out.
    if container.format.name == "avi" and 0 < len(entries := stream.index_entries) < stream.frames:
        is_complete = entries[len(entries) - 1].timestamp + 1 >= stream.frames
        return len(entries) if is_complete else stream.frames
    return int(stream.frames)


def _indexed(container: InputContainer, stream: VideoStream, size_bytes: int) -> tuple[int, Basis] | None:
    if not container.format.name.startswith("mov") or not 0 < stream.frames <= _MAX_COUNTED:
        return None
    entries = stream.index_entries
    shown, end = 0, 0
    for entry in entries:
        shown += not entry.is_discard
        end = max(end, entry.pos + entry.size)
    if not shown:
        return None
    # Fragments after the first index hold more frames; an index that points past the end of the file promises too much.
    is_complete = len(entries) >= stream.frames and end <= size_bytes
    return shown, Basis.COUNTED if is_complete else Basis.STATED
