"""Program `playable`: judge whether browsers show the media of a job as it is, with exactly the job's frames.

spec: PlayableSpec. result: `media_type` under which they do, or None; `because`, what speaks against it, or None. What
headers say is judged first, then the first picture, then every packet; all pictures are decoded only where no job has
done so to a clean end.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.browser_rules import (
    MEDIA_TYPES,
    against_file,
    against_image,
    against_packets,
    against_picture,
)
from forgesyte_sandbox.child.media.decode_ahead import DecodeAhead
from forgesyte_sandbox.child.media.headers.read_tables import read_tables
from forgesyte_sandbox.child.media.headers.signature import HEAD_BYTES
from forgesyte_sandbox.child.media.image_source import ImageSource
from forgesyte_sandbox.child.media.media import container_name
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.sparse_file import SparseFile
from forgesyte_sandbox.child.media.video_source import VideoSource
from forgesyte_sandbox.child.progress_report import ProgressReport
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import PlayableSpec

_BEAT_EVERY = 256
_NOT_AS_STATED = "the file is damaged, or does not say rightly when its pictures are shown"


def run(context: Context[PlayableSpec]) -> dict[str, Any]:
    """Judge the file.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as in the job.
    """
    context.loaded()
    context.heartbeat.enter(Lane.TOOLS, Step.DECODE)
    if context.spec.kind == "image":
        return _judge_image(context)
    return _VideoJudge(context).judge()


def _judge_image(context: Context[PlayableSpec]) -> dict[str, Any]:
    image = ImageSource(Path(context.spec.input), MediaGuard(context.spec.media))
    if not context.spec.is_known_whole:
        image.require_decodable()
    return _verdict(MEDIA_TYPES.get(image.header.codec), against_image(image.header))


class _VideoJudge:
    """Looks at one video, each time from its beginning, as closely as it takes."""

    def __init__(self, context: Context[PlayableSpec]) -> None:
        self._context = context
        self._path = Path(context.spec.input)

    def judge(self) -> dict[str, Any]:
        source = self._open()
        with closing(SparseFile(self._path)) as file:
            container, tables = container_name(source.container, file.at(0, HEAD_BYTES)), read_tables(file)
        because = (
            against_file(source, container)
            or tables.edited
            or against_picture(source, self._first_picture(source))
            or against_packets(self._beating(self._open()))
            or self._against_decoding()
        )
        return _verdict(MEDIA_TYPES.get(container), because)

    def _open(self) -> VideoSource:
        spec = self._context.spec
        return VideoSource(self._path, MediaGuard(spec.media), video_stream=spec.video_stream)

    def _first_picture(self, source: VideoSource) -> VideoFrame:
        for packet in source.packets():
            for frame in source.decode(packet):
                source.require_shown(frame)
                return frame
        source.require_pictures()
        raise AssertionError("a source without any picture is refused")

    def _beating(self, source: VideoSource) -> "Iterator[Packet[VideoStream] | None]":
        for number, packet in enumerate(source.packets()):
            if number % _BEAT_EVERY == 0:
                self._context.heartbeat.enter(Lane.TOOLS, Step.DECODE)
            yield packet

    def _against_decoding(self) -> str | None:
        if self._context.spec.is_known_whole:
            return None
        source, heartbeat = self._open(), self._context.heartbeat
        progress = ProgressReport(self._context, source)
        heartbeat.enter(Lane.TOOLS, Step.WAIT)
        for picture in DecodeAhead(source, heartbeat, self._context.limits).pictures():
            progress.at(picture.index + 1)
            heartbeat.enter(Lane.TOOLS, Step.WAIT, picture.index)
        return None if source.is_as_stated else _NOT_AS_STATED


def _verdict(media_type: str | None, because: str | None) -> dict[str, Any]:
    return {"media_type": media_type if because is None else None, "because": because}
