"""ForgeSyte plugin: what moves in front of a fixed camera. Of the product it never imports anything but the SDK."""

from .plugin import MotionDetector

__all__ = ["MotionDetector"]
