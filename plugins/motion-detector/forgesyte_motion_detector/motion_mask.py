"""The motion mask of each frame, made once for all tools of a job that ask for it in the same way.

A tool that finds the mask of a frame in `frame.shared` takes it; else it makes it and leaves it there. All tools of a
job see all frames in the same order, so it is the same tool that does the work for every frame, and the background of
the others is never asked and stays empty.
"""

from forgesyte_sdk import Frame

from .background import Background, Mask
from .options import MaskOptions


class MotionMasks:
    """Gives one tool of one job its masks.

    Args:
        options: options of the tool; what of them shapes the mask decides with whom it is shared.
        size_wh: width and height of the frames, in pixels.
    """

    def __init__(self, options: MaskOptions, size_wh: tuple[int, int]) -> None:
        self._shape = MaskOptions.model_validate(options.model_dump(include=set(MaskOptions.model_fields)))
        self._background = Background(self._shape, size_wh)
        self._frames = 0

    def of(self, frame: Frame) -> Mask | None:
        """Give the mask of the next frame.

        Returns:
            The mask at working size, read-only, because tools share it; None while the background is being learned.
        """
        # The options themselves are the key beside our name: frozen, so that equal options meet.
        masks: dict[MaskOptions, Mask] = frame.shared.setdefault(f"{__package__}.masks", {})
        self._frames += 1
        if self._shape not in masks:
            mask = self._background.motion_mask(frame.image)
            mask.flags.writeable = False
            masks[self._shape] = mask
        return masks[self._shape] if self._frames > self._shape.warmup_frames else None
