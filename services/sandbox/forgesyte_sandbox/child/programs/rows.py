"""Runs one frame through all tools of a job: outputs, the row's JSON, its counts, the time each tool took."""

import operator
import time
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.messages import MAX_CLASSES, MAX_COUNT, Row
from forgesyte_sdk import Frame, Tool, count_detections, to_jsonable

_MAX_NAMES_CHARS = 8000
"""All class names of one frame; they are sent beside the row, which has a limit of its own."""


class RowMaker:
    """Holds the tools of one job in the order they were asked for.

    Attributes:
        latest_ms: each tool's latest process_frame, milliseconds with one decimal.
        process_ms: all tools' process_frame summed over the job.
        encode_ms: making rows of their outputs, summed over the job.
    """

    def __init__(self, tools: dict[str, Tool[Any, Any]], *, output_bytes: int) -> None:
        self._tools = tools
        self._output_bytes = output_bytes
        self.latest_ms: dict[str, float] = {}
        self.process_ms = 0.0
        self.encode_ms = 0.0

    def make(self, frame: Frame, *, time_us: int) -> tuple[Row, list[str]]:
        """Process one frame.

        Args:
            frame: what the tools see.
            time_us: its time on the container's timeline, which goes beside the row.

        Returns:
            The row, and warnings about values that had to be changed.

        Raises:
            Refusal: the row is larger than allowed. What a tool raises propagates, so does what has no JSON form.
        """
        outputs = {name: self._process(name, tool, frame) for name, tool in self._tools.items()}
        began = time.monotonic()
        made = self._row(frame, outputs, time_us)
        self.encode_ms += (time.monotonic() - began) * 1000
        return made

    def _row(self, frame: Frame, outputs: dict[str, BaseModel], time_us: int) -> tuple[Row, list[str]]:
        row: dict[str, Any] = {"frame_index": frame.index, "timestamp_ms": frame.timestamp_ms}
        detections, classes, warnings = 0, dict[str, int](), list[str]()
        for name, output in outputs.items():
            key = name if len(self._tools) > 1 else "detections"
            row[key], found = to_jsonable(output)
            warnings += [f"{name}, frame {frame.index}: {each}" for each in found]
            count, by_class = count_detections(output)
            detections += operator.index(count)
            for each, number in by_class.items():
                classes[each] = classes.get(each, 0) + operator.index(number)
        require_sane_counts(detections, classes, frame.index)
        return Row(frame.index, self._encode(row, frame.index), detections, classes, time_us), warnings

    def _encode(self, row: dict[str, Any], index: int) -> bytes:
        # Measured first: encoding needs as much memory again, and orjson segfaults where memory is refused.
        if (least := _least_bytes(row, enough=self._output_bytes)) > self._output_bytes:
            raise self._too_large(index, least)
        data = orjson.dumps(row)
        if len(data) > self._output_bytes:
            raise self._too_large(index, len(data))
        return data

    def _process(self, name: str, tool: Tool[Any, Any], frame: Frame) -> BaseModel:
        began = time.monotonic()
        output = tool.process_frame(frame)
        took_ms = (time.monotonic() - began) * 1000
        self.latest_ms[name] = round(took_ms, 1)
        self.process_ms += took_ms
        if isinstance(output, BaseModel):
            return output
        try:
            return tool.Output.model_validate(output)
        except ValidationError as error:
            raise _not_its_output(name, tool, output, error, frame.index) from error

    def _too_large(self, index: int, size: int) -> Refusal:
        text = (
            f"the output for frame {index} has at least {size} bytes, at most {self._output_bytes} are accepted; "
            "return fewer or smaller items per frame"
        )
        return Refusal(Code.PLUGIN_ERROR, text, error_type="OutputTooLarge")


def _not_its_output(
    name: str, tool: Tool[Any, Any], output: object, error: ValidationError, frame_index: int
) -> Refusal:
    """Say what a tool returned instead of its Output; pydantic's own text addresses the author of the model."""
    kind = "None" if output is None else type(output).__name__
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = f": {'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else ""
    text = f"tool {name} returned {kind} for frame {frame_index}, expected its Output, a {tool.Output.__name__}{where}"
    return Refusal(Code.PLUGIN_ERROR, text, error_type=type(error).__name__)


def require_sane_counts(detections: int, classes: dict[str, int], frame_index: int) -> None:
    """Refuse counts of one frame that no summary could hold.

    Raises:
        Refusal: PLUGIN_ERROR.
    """
    counts, chars = (detections, *classes.values()), sum(map(len, classes))
    is_in_range = min(counts) >= 0 and max(counts) <= MAX_COUNT
    if is_in_range and len(classes) <= MAX_CLASSES and chars <= _MAX_NAMES_CHARS:
        return
    counted = "" if is_in_range else ", and a count out of range"
    text = f"frame {frame_index} has {len(classes)} classes of detections whose names have {chars} characters{counted}"
    allowed = f"counts from 0 to {MAX_COUNT}, at most {MAX_CLASSES} classes and {_MAX_NAMES_CHARS} characters"
    raise Refusal(Code.PLUGIN_ERROR, f"{text}; expected {allowed}", error_type="CountsRefused")


def _least_bytes(row: dict[str, Any], *, enough: int) -> int:
    """Return a lower bound on the bytes of the row's JSON; stops counting above `enough`."""
    least = 0
    waiting: list[Any] = [row]
    while waiting and least <= enough:
        item = waiting.pop()
        least += len(item)
        if type(item) is dict:
            waiting += [part for part in item.values() if type(part) in (dict, list, str)]
        elif type(item) is list:
            waiting += [part for part in item if type(part) in (dict, list, str)]
    return least
