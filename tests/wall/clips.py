"""A few frames of a real video."""

from itertools import islice
from pathlib import Path

import av

CARS = Path(__file__).parents[3] / "shared" / "video" / "car-detection.mp4"
FIRST_CAR = 66
FRAMES = 10


def cut(video: Path, path: Path, *, first: int, frames: int) -> Path:
    """Write some frames of a video, without loss."""
    with av.open(str(video)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=source.streams.video[0].average_rate, options={"qp": "0"})
        for index, picture in enumerate(islice(source.decode(video=0), first, first + frames)):
            if index == 0:
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
            picture.pts = None
            made.mux(stream.encode(picture))
        made.mux(stream.encode())
    return path
