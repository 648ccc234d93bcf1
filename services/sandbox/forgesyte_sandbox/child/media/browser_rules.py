"""What browsers show as it is, with exactly the pictures that a job decodes. Decides nothing about anything else.

Each rule returns what speaks against it, as a clause, or None. Where browsers differ from each other or from our own
decoder (edit lists that cut out a part, mirrored pictures, times before zero), that speaks against it: a copy is right
everywhere, and an input that a browser shows otherwise puts boxes onto the wrong pictures.
Sound is not looked at: browsers play a video whose sound they do not know.
Edit lists are judged by headers/edit_list.py. A change that changes a verdict raises PLAYABLE_RULES.
"""

from array import array
from collections.abc import Iterable, Mapping
from itertools import pairwise

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .headers.image_header import ImageHeader
from .orientation import UPRIGHT, Turn, turn_of_frame, turn_of_matrix
from .video_source import VideoSource

MEDIA_TYPES: Mapping[str, str] = {
    "mp4": "video/mp4", "mov": "video/mp4", "webm": "video/webm", "png": "image/png", "jpeg": "image/jpeg",
    "webp": "image/webp",
}  # fmt: skip
"""Under which type a browser takes a kind of file; other kinds it does not show."""

_H264 = frozenset({"Baseline", "Constrained Baseline", "Main", "High"})
_VP9 = frozenset({"Profile 0"})
_TAGS = {"h264": ("avc1", "avc3"), "vp9": ("vp09",)}
# Without AV1: Safari plays it only where the machine has a decoder for it.
_CODECS = {"video/mp4": {"h264": _H264, "vp9": _VP9}, "video/webm": {"vp8": frozenset[str](), "vp9": _VP9}}
_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_Flag = av.stream.Disposition


def against_file(source: VideoSource, container: str) -> str | None:
    """Judge container, codec and the choice of the stream.

    Args:
        source: an open one.
        container: as media.container_name() names it.
    """
    stream, codec = source.stream, source.claims.codec
    media_type = MEDIA_TYPES.get(container)
    if media_type is None:
        return f"browsers do not play {container} files"
    profiles = _CODECS[media_type].get(codec)
    if profiles is None:
        return f"not every browser plays {codec} in {container} files"
    profile = stream.codec_context.profile
    if profiles and profile not in profiles:
        return f"not every browser plays the {codec} profile {profile}"
    tag = stream.codec_context.codec_tag
    if media_type == "video/mp4" and tag not in _TAGS[codec]:
        return f"not every browser knows {codec} under the name {tag!r}"
    if stream.metadata.get("alpha_mode") == "1":
        return "browsers show its transparent parts, and the job does not"
    if not _is_first(stream, source.container.streams.video):
        return f"browsers play another stream than {stream.index}, which the job decodes"
    return None


def against_picture(source: VideoSource, frame: VideoFrame) -> str | None:
    """Judge the first picture: its samples, and how it is turned."""
    if frame.format.name not in _PIXELS:
        return f"not every browser shows samples of the kind {frame.format.name}"
    turn, stated = turn_of_frame(frame), _stated_turn(source.stream)
    if turn.is_rounded:
        return "it is turned by an angle that is no multiple of 90 degrees"
    if turn != stated or (turn != UPRIGHT and not source.container.format.name.startswith("mov")):
        return "not every browser sees that it is turned"
    if turn.a * turn.d - turn.b * turn.c < 0:
        return "not every browser mirrors its pictures as the file asks"
    return None


def against_packets(packets: "Iterable[Packet[VideoStream] | None]") -> str | None:
    """Judge all packets of the stream: that each shows a picture, at a time of its own."""
    times, hidden = array("q"), array("q")
    for packet in packets:
        if packet is None or not packet.size:
            continue
        if packet.is_corrupt:
            return "a packet is damaged"
        if packet.pts is None or (packet.pts < 0 and not packet.is_discard):
            return "a picture has no time, or one before zero"
        (hidden if packet.is_discard else times).append(packet.pts)
    ordered = sorted(times)
    if hidden and ordered and max(hidden) > ordered[0]:
        return "an edit list hides pictures behind the first one that it shows"
    if any(one == other for one, other in pairwise(ordered)):
        return "two pictures have the same time"
    return None


def against_image(header: ImageHeader) -> str | None:
    """Judge an image by its header."""
    if header.codec not in MEDIA_TYPES:
        return f"browsers do not show {header.codec} images"
    if header.pictures > 1:
        return "browsers show all of its pictures, and the job has the first"
    if header.orientation != 1 and header.codec != "jpeg":
        return f"not every browser turns {header.codec} images"
    return None


def _is_first(stream: VideoStream, videos: Iterable[VideoStream]) -> bool:
    shown = [each for each in videos if not each.disposition & _Flag.attached_pic]
    flagged = [each for each in shown if each.disposition & _Flag.default]
    return bool(shown) and shown[0].index == stream.index and (not flagged or stream in flagged)


def _stated_turn(stream: VideoStream) -> Turn:
    matrix = stream.codec_context.coded_side_data.get("display_matrix")
    return UPRIGHT if matrix is None else turn_of_matrix(bytes(matrix))
