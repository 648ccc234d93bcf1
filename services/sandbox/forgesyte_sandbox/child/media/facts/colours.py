"""What the colours of a video mean: which matrix they are read with, and what our 8-bit BGR cannot show of them.

Tags of the file count where it has any. Without them players go by the size: HD is BT.709, smaller is BT.601; so do we,
and say so. HDR and wide-gamut colours are converted by their matrix alone, without tone mapping, which is told in a
warning. Rejected: tone mapping of our own (each player does it differently, and detectors were not trained on it).
"""

from dataclasses import dataclass

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

_UNSPECIFIED = 2
_HD_LINES = 720
_HD_COLUMNS = 1280
_MATRICES = {
    1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 8: "ycgco", 9: "bt2020",
    10: "bt2020 (constant luminance)", 14: "ictcp",
}  # fmt: skip
_UNREADABLE = frozenset({8, 10, 11, 12, 13, 14, 15})
"""Matrices that the converter does not know; it takes them for BT.601."""
_HDR = {16: "PQ", 18: "HLG"}
_WIDE = {9: "BT.2020", 10: "XYZ", 11: "DCI-P3", 12: "Display P3"}


@dataclass(frozen=True, slots=True)
class Colours:
    """How the colours of a picture are read.

    Attributes:
        text: the matrix, and whether it is assumed; None for pictures without one, such as RGB and grey.
        matrix: what the converter must be told; None where the picture says it.
        is_full: whether the picture says that its samples use the full range.
        warning: what is lost; None when nothing is.
    """

    text: str | None
    matrix: Colorspace | None
    is_full: bool
    warning: str | None

    @property
    def source_range(self) -> ColorRange | None:
        """What the converter must be told of the range of samples."""
        return ColorRange.JPEG if self.is_full else None


def colours_of(frame: VideoFrame) -> Colours:
    """Read the tags of a decoded picture, and assume what players assume where it has none."""
    is_full = frame.color_range == ColorRange.JPEG
    if frame.format.is_rgb or len(frame.format.components) < 3:
        return Colours(None, None, is_full=False, warning=_warning(frame))
    if frame.colorspace != _UNSPECIFIED:
        name = _MATRICES.get(frame.colorspace, f"matrix {frame.colorspace}")
        return Colours(name, None, is_full, _warning(frame))
    if frame.height >= _HD_LINES or frame.width >= _HD_COLUMNS:
        text = f"bt709 (assumed: no colour tags, {frame.width} x {frame.height})"
        return Colours(text, Colorspace.ITU709, is_full, _warning(frame))
    text = f"bt601 (assumed: no colour tags, {frame.width} x {frame.height})"
    return Colours(text, Colorspace.ITU601, is_full, _warning(frame))


def _warning(frame: VideoFrame) -> str | None:
    curve, gamut = _HDR.get(frame.color_trc), _WIDE.get(frame.color_primaries)
    if curve is not None:
        what = f"the video is HDR ({', '.join(filter(None, (curve, gamut)))})"
        return f"{what}; its colours are not tone-mapped, so pictures look flat and darker than on an HDR screen"
    if gamut is not None or frame.format.name.startswith("xyz"):
        what = f"the video has wide-gamut colours ({gamut or 'XYZ'})"
        return f"{what}; they are read as those of an ordinary screen, so they look paler"
    if frame.colorspace in _UNREADABLE:
        name = _MATRICES.get(frame.colorspace, f"matrix {frame.colorspace}")
        return f"the colours of the video are coded as {name}, which cannot be converted exactly; they are off"
    return None
