"""The options of the tools. Sizes are shares of the frame, so that one setting fits every resolution."""

from pydantic import Field

from forgesyte_sdk import ToolOptions


class MaskOptions(ToolOptions):
    """How motion is told from background. Tools of one job whose mask options are equal share the work."""

    threshold: float = Field(default=5.0, ge=1.0, le=20.0)
    """How far a pixel must be from its background to count as motion, in standard deviations of that background.
    Higher finds less: raise it for a noisy camera."""

    history: int = Field(default=300, ge=10, le=10_000)
    """How many frames the background remembers. What stands still becomes background after about a tenth of it."""

    warmup_frames: int = Field(default=5, ge=1, le=1_000)
    """Frames at the start that only teach the background; they report nothing."""

    include_shadows: bool = False
    """Count shadows as motion. Off: what is only darker than its background, in the same colour, is left out."""

    follow_exposure: bool = True
    """Even out brightness and colour changes of the whole frame (automatic exposure, white balance) first."""

    join_distance: float = Field(default=0.03, ge=0.0, le=0.2)
    """Parts closer than this share of the frame's width are joined into one region; 0 joins nothing."""

    working_width: int = Field(default=320, ge=64, le=4_096)
    """Frames wider than this many pixels are scaled down to it for the comparison. Larger finds smaller things and
    takes longer. Boxes are always in pixels of the input."""


class MotionOptions(MaskOptions):
    """How detect-motion tells motion from background, and what of it is reported."""

    min_area: float = Field(default=0.002, ge=0.0, le=1.0)
    """Smallest region that is reported, as a share of the frame: 0.002 is two thousandths of its pixels."""

    max_regions: int = Field(default=100, ge=1, le=1_000)
    """At most this many regions a frame, the largest first."""


class TrackOptions(MotionOptions):
    """How track-objects finds what moves (as detect-motion does), and how it keeps objects apart."""

    min_hits: int = Field(default=4, ge=1, le=100)
    """A new object gets its id once it was found in this many frames in a row; until then it is not reported. Lower
    reports earlier and gives ids to noise too."""

    max_age: int = Field(default=20, ge=0, le=1_000)
    """How many frames in a row an object may be hidden and still keep its id; 0: an object that is missed once gets a
    new one. Hidden objects are not reported."""

    match_distance: float = Field(default=0.1, gt=0.0, le=1.0)
    """How far from where it is expected an object is looked for, as a share of the frame's width. Raise it for small
    and fast objects or few frames a second; too high, and objects take over each other's ids."""
