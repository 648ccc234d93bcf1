"""Small clips with a known truth, made with PyAV."""

from pathlib import Path

import av
import numpy as np


def brightness_of(index: int) -> int:
    """The grey value that frame `index` of make_clip is filled with (before coding)."""
    return 40 + 10 * (index % 20)


def make_clip(path: Path, *, frames: int = 60, size_wh: tuple[int, int] = (160, 120), fps: int = 25) -> Path:
    """Write an H.264 clip whose frames are filled with brightness_of(index)."""
    width, height = size_wh
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            image = np.full((height, width, 3), brightness_of(index), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
