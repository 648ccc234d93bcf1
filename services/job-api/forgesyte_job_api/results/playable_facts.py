"""What is kept of a job's playable: whether browsers are given the input itself or a copy, and facts of the copy."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MediaType = Literal["video/mp4", "video/webm", "image/png", "image/jpeg", "image/webp"]
"""A closed set: the sandbox that says it may be in the hands of the media, and a browser would run other types."""

_MAX_FRAMES = 10_000_000  # 46 hours at 60 frames per second; a table of them is read into memory
_MAX_SIDE_PX = 1 << 31


class PlayableFacts(BaseModel):
    """What browsers are given, and why.

    Attributes:
        rules: PLAYABLE_RULES of the version that judged.
        shows: the input itself, or the copy.
        media_type: under which they take it.
        because: why the input is not shown, in a clause.
        frames: of a copy: how many it has.
        width: of a copy, in pixels.
        height: of a copy, in pixels.
        pixel_aspect: of a copy: the shape of a pixel, as width:height.
    """

    model_config = ConfigDict(frozen=True)

    rules: int
    shows: Literal["input", "copy"]
    media_type: MediaType
    because: str | None = Field(default=None, max_length=1000)
    frames: int | None = Field(default=None, ge=1, le=_MAX_FRAMES)
    width: int | None = Field(default=None, ge=1, le=_MAX_SIDE_PX)
    height: int | None = Field(default=None, ge=1, le=_MAX_SIDE_PX)
    pixel_aspect: str | None = Field(default=None, max_length=64)
