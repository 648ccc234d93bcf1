"""Program `playable_copy`: the media of a job again, in a form that browsers show, with exactly the job's frames.

spec: PlayableCopySpec. result: `frames`, `width`, `height`, `pixel_aspect`. Frames are decoded by the same code as in
the job, so they are as many, upright, and in the same order. A video becomes an H.264 MP4, with the times that are
written for its frames in a file beside it; two frames never have the same time. An image becomes a PNG.
"""

import struct
from pathlib import Path
from typing import IO, Any

import cv2

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.open_source import open_source
from forgesyte_sandbox.child.media.source import Source
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import PlayableCopySpec

from .encode import write_again
from .mp4_times import microseconds


def run(context: Context[PlayableCopySpec]) -> dict[str, Any]:
    """Decode and write.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as in the job.
        OSError: a file cannot be written, for example on a full disk.
    """
    spec = context.spec
    output, times = (Path.cwd() / Path(name).name for name in (spec.output, spec.times))
    context.loaded()
    context.heartbeat.enter(Lane.TOOLS, Step.DECODE)
    source = open_source(Path(spec.input), spec.kind, MediaGuard(spec.media), video_stream=spec.video_stream)
    with times.open("wb") as table:
        if spec.kind == "image":
            return _write_png(source, output, table)
        return _write_mp4(context, source, output, table)


def _write_png(source: Source, output: Path, table: IO[bytes]) -> dict[str, Any]:
    for picture in source.pictures():
        done, coded = cv2.imencode(".png", picture.image)
        if not done:
            raise OSError("OpenCV could not encode the image as PNG")
        output.write_bytes(coded.data)
        _note(table, 0)
    return _facts(source, source.size_wh)


def _write_mp4(context: Context[PlayableCopySpec], source: Source, output: Path, table: IO[bytes]) -> dict[str, Any]:
    size_wh = write_again(
        context,
        source,
        output,
        shown=lambda sheet, picture: sheet.fit(picture.image),
        note=lambda ticks: _note(table, microseconds(ticks)),
    )
    return _facts(source, size_wh)


def _note(table: IO[bytes], time_us: int) -> None:
    table.write(struct.pack("<q", time_us))


def _facts(source: Source, size_wh: tuple[int, int]) -> dict[str, Any]:
    width, height = size_wh
    return {"frames": source.decoded, "width": width, "height": height, "pixel_aspect": source.seen.pixel_aspect}
