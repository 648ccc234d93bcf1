"""The tool detect-motion: regions that differ from a learned background.

It returns no snapshots: OpenCV's background model can be trained but not read out, and a row made with another
background would differ from that of an uninterrupted run. So a new attempt starts at frame 0.
"""

import numpy as np

from forgesyte_sdk import Frame, JobInfo, Regions, Tool

from .motion_mask import MotionMasks
from .options import MotionOptions
from .regions import regions_of


class DetectMotion(Tool[MotionOptions, Regions]):
    """Moving regions of the frame, each with its box, its area and its share of the frame. For fixed cameras."""

    name = "detect-motion"
    title = "Detect motion"

    def prepare(self, job: JobInfo) -> None:
        """Start with an empty background."""
        self._masks = MotionMasks(self.options, (job.width, job.height))

    def process_frame(self, frame: Frame) -> Regions:
        """Compare the frame with the background and report what differs."""
        mask = self._masks.of(frame)
        if mask is None:
            return Regions(regions=[], motion_share=0.0)
        regions = regions_of(mask, frame.size_wh, min_share=self.options.min_area, limit=self.options.max_regions)
        return Regions(regions=regions, motion_share=float(np.count_nonzero(mask)) / mask.size)
