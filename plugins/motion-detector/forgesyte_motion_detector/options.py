"""The options of the tools. Sizes are fractions of the frame, so that one setting fits every resolution."""

from pydantic import Field

from forgesyte_sdk import ToolOptions


class MaskOptions(ToolOptions):
    """How to separate motion from background. Tools of one job with equal mask options share the work."""

    threshold: float = Field(default=5.0, ge=1.0, le=20.0)
    """How much a pixel must differ from its background to count as motion, in standard deviations of that background.
    Higher values find less: raise it for a noisy camera."""

    history: int = Field(default=300, ge=10, le=10_000)
    """How many frames the background remembers. An object that stands still becomes background after about a tenth of
    them."""

    warmup_frames: int = Field(default=5, ge=1, le=1_000)
    """Number of frames at the start that are only used to learn the background; nothing is reported for them."""

    include_shadows: bool = False
    """Count shadows as motion. If off, areas that are only darker than their background, in the same colour, are
    ignored."""

    follow_exposure: bool = True
    """First compensate for brightness and colour changes of the whole frame (automatic exposure, white balance)."""

    join_distance: float = Field(default=0.03, ge=0.0, le=0.2)
    """Parts closer together than this fraction of the frame's width are joined into one region; 0 joins nothing."""

    working_width: int = Field(default=320, ge=64, le=4_096)
    """Frames wider than this many pixels are scaled down to this width for the comparison. Larger values find smaller
    objects and take longer. Boxes are always in pixels of the input."""


class MotionOptions(MaskOptions):
    """How detect-motion separates motion from background, and which regions it reports."""

    min_area: float = Field(default=0.002, ge=0.0, le=1.0)
    """Smallest region that is reported, as a fraction of the frame: 0.002 means 0.2 % of its pixels."""

    max_regions: int = Field(default=100, ge=1, le=1_000)
    """Maximum number of regions per frame; the largest ones are reported."""


class TrackOptions(MotionOptions):
    """How track-objects finds moving objects (as detect-motion does), and how it tells them apart."""

    min_hits: int = Field(default=4, ge=1, le=100)
    """A new object gets its id once it was found in this many frames in a row; until then it is not reported. Lower
    values report objects earlier, but also give ids to noise."""

    max_age: int = Field(default=20, ge=0, le=1_000)
    """How many frames in a row an object may be hidden and still keep its id; with 0, an object that is missed once
    gets a new id. Hidden objects are not reported."""

    match_distance: float = Field(default=0.1, gt=0.0, le=1.0)
    """How far from its expected position an object is searched for, as a fraction of the frame's width. Raise it for
    small, fast objects or low frame rates; if it is too high, objects take over each other's ids."""
