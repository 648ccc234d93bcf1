"""A plugin for the tests of the contract: a tool that takes images, one that never ends, one that costs nothing."""

import threading

from forgesyte_sdk import Detections, Plugin, Tool, ToolOptions
from forgesyte_sdk.outputs import Box


class Middle(Tool[ToolOptions, Detections]):
    """One box in the middle of the frame."""

    name = "middle"
    inputs = ("image", "video")

    def process_frame(self, frame):
        width, height = frame.size_wh
        xyxy = (width / 4, height / 4, width * 3 / 4, height * 3 / 4)
        return Detections(detections=[Box(xyxy=xyxy, confidence=1.0, class_id=0, class_name="middle")])


class Endless(Tool[ToolOptions, Detections]):
    """Never returns a row."""

    name = "endless"
    inputs = ("image", "video")

    def process_frame(self, frame):
        threading.Event().wait()


class ContractPlugin(Plugin):
    """What the contract's tests need of a plugin."""

    name = "contract"
    version = "0.1.0"
    description = "for tests"
    tools = (Middle, Endless)
