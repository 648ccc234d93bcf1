"""Clips with something that moves, made with PyAV."""

from pathlib import Path

import av
import numpy as np


def write_clip(path: Path, *, frames: int, size_wh: tuple[int, int], fps: int = 25) -> None:
    """Write an H.264 clip: a bright square that moves over a noisy background, the same in every run."""
    width, height = size_wh
    background = np.random.default_rng(1).integers(90, 110, (height, width, 3), dtype=np.uint8)
    side = height // 6
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            image = background.copy()
            left, top = (5 * index) % (width - side), (3 * index) % (height - side)
            image[top : top + side, left : left + side] = 230
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
