"""What a tool receives: the facts of its job, and one frame at a time.

Frames are checked by asserts only: they are made by the product's own sandbox, and a job has thousands of them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Pixels of one frame: uint8, shape (H, W, 3), BGR, upright, C-contiguous, read-only."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame.

    Attributes:
        image: uint8, shape (H, W, 3), BGR, upright, C-contiguous. Read-only: several tools see the same pixels, so a
            tool that draws or changes pixels works on `image.copy()`.
        index: number of the decoded frame within the input, from 0.
        timestamp_ms: presentation time, in milliseconds after the first frame.
        shared: lives as long as this frame; a tool can leave work in it for the next tool of the job.
    """

    image: Image
    index: int
    timestamp_ms: float
    shared: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        image = self.image
        right = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.flags.c_contiguous
        found = f"{image.dtype} {image.shape}"
        assert right, f"expected C-contiguous uint8 (H, W, 3), found {found}"  # noqa: S101 - only our sandbox makes frames
        image.flags.writeable = False

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in upright pixels."""
        height, width = self.image.shape[:2]
        return width, height


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What a tool knows about its job before the first frame.

    Attributes:
        job_id: the job's id.
        width: pixels of the upright frame.
        height: pixels of the upright frame.
        fps: frames per second according to the container; None when it does not say.
        total_frames: exact count, or None while it is not known exactly.
        device: where the plugin was loaded, `cpu` or `gpu`.
        scratch: an empty folder for this job alone; removed when the job ends.
    """

    job_id: str
    width: int
    height: int
    fps: float | None
    total_frames: int | None
    device: str
    scratch: Path
