"""ForgeSyte plugin: what moves in front of a fixed camera."""

from .plugin import MotionDetector

__all__ = ["MotionDetector"]
