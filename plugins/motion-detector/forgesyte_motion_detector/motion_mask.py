"""The motion mask of each frame, computed once for all tools of a job with the same mask options.

A tool that finds the mask of a frame in `frame.shared` uses it; otherwise it computes the mask and leaves it there. All
tools of a job see all frames in the same order, so the same tool does the work for every frame, and the background
models of the others are never used and stay empty.
"""

from forgesyte_sdk import Frame

from .background import Background, Mask
from .options import MaskOptions


class MotionMasks:
    """The masks for one tool of one job.

    Args:
        options: options of the tool; those that affect the mask decide which tools share it.
        size_wh: width and height of the frames, in pixels.
    """

    def __init__(self, options: MaskOptions, size_wh: tuple[int, int]) -> None:
        self._shape = MaskOptions.model_validate(options.model_dump(include=set(MaskOptions.model_fields)))
        self._background = Background(self._shape, size_wh)
        self._frames = 0

    def of(self, frame: Frame) -> Mask | None:
        """Return the mask of the next frame.

        Returns:
            The mask at working size, read-only, because tools share it; None while the background is being learned.
        """
        # The options themselves are the key: they are frozen, so equal options find the same mask.
        masks: dict[MaskOptions, Mask] = frame.shared.setdefault(f"{__package__}.masks", {})
        self._frames += 1
        if self._shape not in masks:
            mask = self._background.motion_mask(frame.image)
            mask.flags.writeable = False
            masks[self._shape] = mask
        return masks[self._shape] if self._frames > self._shape.warmup_frames else None
