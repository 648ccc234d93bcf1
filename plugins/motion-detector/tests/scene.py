"""Frames with a known content, and the job they belong to."""

from pathlib import Path

import numpy as np

from forgesyte_sdk import Frame, JobInfo

WIDTH, HEIGHT = 320, 180


class Scene:
    """A still, noisy background with whatever a test paints on it."""

    def __init__(self, *, seed: int = 3) -> None:
        self._random = np.random.default_rng(seed)
        self.background = self._random.uniform(70, 150, (HEIGHT // 10, WIDTH // 10, 3))
        self.background = self.background.repeat(10, axis=0).repeat(10, axis=1)

    def frame(self, index: int, *boxes: tuple[int, int, int, int], colour=(20, 230, 240), factor: float = 1.0) -> Frame:
        picture = self.background.copy()
        for left, top, right, bottom in boxes:
            picture[top:bottom, left:right] = colour
        picture = picture * factor + self._random.normal(0, 2, picture.shape)
        return Frame(image=picture.clip(0, 255).astype(np.uint8), index=index, timestamp_ms=index * 40.0)

    def shaded(self, index: int, box: tuple[int, int, int, int]) -> Frame:
        picture = self.background.copy()
        left, top, right, bottom = box
        picture[top:bottom, left:right] *= 0.7
        return Frame(image=picture.astype(np.uint8), index=index, timestamp_ms=0.0)


def a_job(*, width: int = WIDTH, height: int = HEIGHT) -> JobInfo:
    return JobInfo(
        job_id="j", width=width, height=height, fps=25.0, total_frames=None, device="cpu", scratch=Path("unused")
    )
