"""A plugin that reads back what truth.py drew: the frame's number and the colours of three corners."""

from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput

BITS = 8


class Truth(ToolOutput):
    number: int
    corners: tuple[tuple[int, int, int], ...]
    size_wh: tuple[int, int]


class ReadTruth(Tool[ToolOptions, Truth]):
    name = "read-truth"
    inputs = ("video", "image")
    Options = ToolOptions

    def process_frame(self, frame):
        height, width = frame.image.shape[:2]
        number = 0
        for bit in range(BITS):
            x = (2 * bit + 1) * width // (2 * BITS)
            number |= int(frame.image[height // 2, x].mean() > 128) << bit
        y, x = height // 16, width // 16
        places = ((y, x), (y, width - 1 - x), (height - 1 - y, x))
        corners = tuple(tuple(int(value) for value in frame.image[place]) for place in places)
        return Truth(number=number, corners=corners, size_wh=frame.size_wh)


class MediaTruth(Plugin):
    name = "media-truth"
    version = "1.0.0"
    tools = (ReadTruth,)
