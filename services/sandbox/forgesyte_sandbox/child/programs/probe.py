"""Program `probe`: examine a file before a job for it is accepted. Runs no plugin.

spec: ProbeSpec. The result says what the file is; a file that cannot be used is a Refusal. What would have to be read
in a hole is left open (`is_certain` false): the job's decoder, which has the whole file, gives the full verdict.
"""

import time
from pathlib import Path
from typing import Any

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.facts.streams import count_streams
from forgesyte_sandbox.child.media.headers.signature import HEAD_BYTES
from forgesyte_sandbox.child.media.image_source import ImageSource
from forgesyte_sandbox.child.media.media import container_name
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.orientation import UPRIGHT, Turn, turn_of_frame
from forgesyte_sandbox.child.media.sparse_file import SparseFile
from forgesyte_sandbox.child.media.video_source import VideoSource
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import ProbeSpec

_LOOK_SHARE = 0.5
_NOT_KEPT = "what would decide it lies in the middle of the file, which was not examined"


def run(context: Context[ProbeSpec]) -> dict[str, Any]:
    """Open the file as the job would, decode its first picture, report what it is.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, with what was found and what is accepted.
    """
    context.loaded()
    context.heartbeat.enter(Lane.TOOLS, Step.PROBE)
    spec = context.spec
    allowed = MediaGuard(spec.media)
    file = SparseFile(Path(spec.input), holes=spec.holes, size=spec.size_bytes)
    look_until_s = time.monotonic() + context.limits.probe_timeout_s * _LOOK_SHARE
    try:
        if spec.kind == "image":
            return _image(file, allowed)
        return _video(VideoSource(file, allowed, video_stream=spec.video_stream), file, look_until_s)
    except Refusal as refusal:
        # Damage seen in a hole is no damage; too large is too large all the same.
        if refusal.code is Code.MEDIA_INVALID and file.saw_hole:
            return {**_facts(spec.kind), "is_certain": False, "note": f"{_NOT_KEPT}; found so far: {refusal}"}
        raise


def _video(decoder: VideoSource, file: SparseFile, look_until_s: float) -> dict[str, Any]:
    turn = _turn_of_first_picture(decoder, file, look_until_s)
    coded = decoder.stream.codec_context
    size_wh = (turn or UPRIGHT).size_wh(coded.width, coded.height)
    claims = decoder.claims
    seconds = decoder.duration_s
    return _facts("video") | {
        "is_certain": turn is not None,
        "note": None if turn is not None else f"no frame was decoded: {_NOT_KEPT}",
        "container": container_name(decoder.container, file.at(0, HEAD_BYTES)),
        "codec": claims.codec,
        "pixel_format": coded.pix_fmt,
        "width": size_wh[0] or None,
        "height": size_wh[1] or None,
        "fps": claims.fps,
        "fps_nominal": claims.fps,
        "video_stream": decoder.stream.index,
        "rotation": (turn or UPRIGHT).clockwise,
        "frames": claims.frames,
        "frames_exact": claims.frames_exact,
        "duration_s": None if seconds is None else round(seconds, 3),
        "decode_memory_bytes": decoder.memory_bytes,
        "streams": count_streams(decoder.container),
    }


def _turn_of_first_picture(decoder: VideoSource, file: SparseFile, look_until_s: float) -> Turn | None:
    for packet in decoder.packets():
        for frame in decoder.decode(packet):
            decoder.require_shown(frame)
            return turn_of_frame(frame)
        if file.is_at_hole or file.saw_hole or time.monotonic() > look_until_s:
            return None
    decoder.require_pictures()
    return None


def _image(file: SparseFile, allowed: MediaGuard) -> dict[str, Any]:
    still = ImageSource(file, allowed)
    if not file.has_holes:
        still.require_decodable()
    header = still.header
    width, height = still.upright_wh
    return _facts("image") | {
        "is_certain": not file.has_holes,
        "note": _NOT_KEPT if file.has_holes else None,
        "container": header.codec,
        "codec": header.codec,
        "pixel_format": f"{header.channels} x {header.bits} bits",
        "width": width,
        "height": height,
        "rotation": still.rotation,
        "frames": 1,
        "frames_exact": True,
        "decode_memory_bytes": still.memory_bytes,
        "streams": {"image": header.pictures},
    }


def _facts(kind: str) -> dict[str, Any]:
    unknown = (
        "container", "codec", "pixel_format", "width", "height", "fps", "fps_nominal", "video_stream", "frames",
        "duration_s", "decode_memory_bytes", "note",
    )  # fmt: skip
    facts = dict.fromkeys(unknown, None)
    return {"kind": kind, "is_certain": True, **facts, "rotation": 0, "frames_exact": False, "streams": {}}
