"""The plugin that the package's entry point names, with its tools."""

from forgesyte_sdk import Plugin

from .detect_motion import DetectMotion
from .track_objects import TrackObjects


class MotionDetector(Plugin):
    """Finds and follows what moves in front of a fixed camera, by comparing each frame with a learned background."""

    name = "motion-detector"
    version = "0.1.0"
    author = "ForgeSyte"
    license = "Apache-2.0"
    capabilities = ("motion", "regions", "tracking")
    stateful = True
    latency_budget_ms = 20.0
    tools = (DetectMotion, TrackObjects)
