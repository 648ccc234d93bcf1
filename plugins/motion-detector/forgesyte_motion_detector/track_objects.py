"""The tool track-objects: moving objects, each with an id that it keeps while it is in sight.

It returns no snapshots: the tracker could (Tracker.snapshot), but the background model it uses cannot be read out of
OpenCV. So a new attempt starts at frame 0.
"""

import numpy as np

from forgesyte_sdk import Frame, JobInfo, Tool, TrackedObject, TrackedObjects

from .motion_mask import MotionMasks
from .options import TrackOptions
from .regions import regions_of
from .tracker import Tracker


class TrackObjects(Tool[TrackOptions, TrackedObjects]):
    """Moving objects, each with an id, unique within the job, that it keeps while it is in sight. For fixed cameras.

    The kind of object is not known: all have the class `object`. Confidence says how stable the track is, not how
    certain it is that there is an object.
    """

    name = "track-objects"
    title = "Track objects"

    def prepare(self, job: JobInfo) -> None:
        """Start with an empty background and no objects."""
        size_wh = job.width, job.height
        self._masks = MotionMasks(self.options, size_wh)
        self._tracker = Tracker(self.options, size_wh)

    def process_frame(self, frame: Frame) -> TrackedObjects:
        """Find what moves in the frame and match it with the known objects."""
        mask = self._masks.of(frame)
        if mask is None:
            return TrackedObjects(tracked_objects=[])
        options = self.options
        regions = regions_of(mask, frame.size_wh, min_share=options.min_area, limit=options.max_regions)
        boxes = np.array([region.xyxy for region in regions], np.float64).reshape(-1, 4)
        objects = [
            TrackedObject(
                track_id=seen.track_id,
                class_id=0,
                class_name="object",
                xyxy=seen.xyxy,
                confidence=round(seen.confidence, 3),
            )
            for seen in self._tracker.update(boxes)
        ]
        return TrackedObjects(tracked_objects=objects)
