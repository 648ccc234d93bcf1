"""Program `annotate`: the input again, as an MP4 with what the tools found drawn into it.

spec: AnnotateSpec. result: `frames`, `width`, `height`, `bytes`.

The input is decoded by the same code as in the job, so frame numbers and upright pixels are the same; rows are read one
line at a time beside it. A frame without a row is shown without boxes. An image becomes a video of one second with one
frame.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from forgesyte_contracts.boxes import FoundBox, boxes_of, outputs_of
from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.open_source import open_source
from forgesyte_sandbox.child.media.source import Picture
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import AnnotateSpec
from forgesyte_sdk import Image

from .drawing import draw_boxes
from .encode import Sheet, write_again


def run(context: Context[AnnotateSpec]) -> dict[str, Any]:
    """Decode, draw, encode.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as in the job.
        OSError: the output cannot be written, for example on a full disk.
    """
    spec = context.spec
    output = Path.cwd() / Path(spec.output).name
    context.loaded()
    context.heartbeat.enter(Lane.TOOLS, Step.DECODE)
    allowed = MediaGuard(spec.media)
    source = open_source(Path(spec.input), spec.kind, allowed, video_stream=spec.video_stream)
    with Path(spec.rows).open("rb") as lines:
        rows = RowsBeside(lines, spec.tools)

        def drawn(sheet: Sheet, picture: Picture) -> Image:
            return with_boxes(sheet, picture.image, rows.boxes(picture.index))

        width, height = write_again(context, source, output, shown=drawn)
    return {"frames": source.decoded, "width": width, "height": height, "bytes": output.stat().st_size}


class RowsBeside:
    """The rows of a job, read forward as the frames come."""

    def __init__(self, lines: IO[bytes], tools: Sequence[str]) -> None:
        self._rows: Iterator[dict[str, Any]] = map(orjson.loads, lines)
        self._tools = tools
        self._next = next(self._rows, None)

    def boxes(self, frame_index: int) -> list[FoundBox]:
        """Return what was found in a frame; frames must be asked for in rising order."""
        while self._next is not None and self._next["frame_index"] < frame_index:
            self._next = next(self._rows, None)
        if self._next is None or self._next["frame_index"] != frame_index:
            return []
        outputs = outputs_of(self._next, self._tools)
        return [box for tool, output in outputs for box in boxes_of(tool, output) or ()]


def with_boxes(sheet: Sheet, image: Image, boxes: list[FoundBox]) -> Image:
    """Return the picture in the sheet's size with the boxes drawn into it; the original is left unchanged."""
    height, width = image.shape[:2]
    fitted = sheet.fit(image)
    drawn = fitted.copy() if boxes and fitted is image else fitted
    draw_boxes(drawn, boxes, scale_xy=(sheet.size_wh[0] / width, sheet.size_wh[1] / height))
    return drawn
