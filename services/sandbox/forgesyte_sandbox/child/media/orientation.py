"""Turning and mirroring pictures the way their files ask for: display matrices of videos, EXIF orientation of images.

Both are one signed swap of axes. Angles that are no multiple of 90 degrees, which cameras do not write, are rounded,
and the turn says so.
"""

import struct
from dataclasses import dataclass

from av.video.frame import VideoFrame

from forgesyte_sdk import Image

_MATRIX = struct.Struct("=9i")
_SLANT = 0.02
"""About one degree: less is how writers round."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a stored pixel (x right, y down) is shown: x' = a*x + c*y, y' = b*x + d*y, each of -1, 0, 1."""

    a: int = 1
    b: int = 0
    c: int = 0
    d: int = 1
    is_rounded: bool = False
    """Whether the file asks for another angle than the quarter turn that this is."""

    @property
    def is_sideways(self) -> bool:
        """Whether width and height are swapped."""
        return self.a == 0

    @property
    def clockwise(self) -> int:
        """Degrees clockwise: 0, 90, 180 or 270; a mirrored picture is mirrored left to right first."""
        return {(0, 1): 0, (-1, 0): 90, (0, -1): 180, (1, 0): 270}[self.c, self.d]

    def apply(self, image: Image) -> Image:
        """Return a view of the (H, W, 3) picture as it is shown."""
        if self.is_sideways:
            image = image.swapaxes(0, 1)
        flip_x, flip_y = self.a + self.c < 0, self.b + self.d < 0
        return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]

    def size_wh(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in which a stored picture is shown."""
        return (height, width) if self.is_sideways else (width, height)


UPRIGHT = Turn()
_EXIF = {
    2: Turn(-1, 0, 0, 1), 3: Turn(-1, 0, 0, -1), 4: Turn(1, 0, 0, -1), 5: Turn(0, 1, 1, 0), 6: Turn(0, 1, -1, 0),
    7: Turn(0, -1, -1, 0), 8: Turn(0, -1, 1, 0),
}  # fmt: skip


def turn_of_exif(orientation: int) -> Turn:
    """Read an EXIF (or TIFF) orientation, 1 to 8; anything else is upright."""
    return _EXIF.get(orientation, UPRIGHT)


def turn_of_matrix(matrix: bytes) -> Turn:
    """Read a display matrix in FFmpeg's form: 9 numbers of 32 bits, rows (a b u), (c d v), (x y w)."""
    if len(matrix) < _MATRIX.size:
        return UPRIGHT
    a, b, _, c, d, *_ = _MATRIX.unpack_from(matrix)
    if not (a * d - b * c):
        return UPRIGHT  # a matrix without area shows nothing
    along, across = abs(a) + abs(d), abs(b) + abs(c)
    is_rounded = min(along, across) > _SLANT * max(along, across)
    if along >= across:
        return Turn(_sign(a), 0, 0, _sign(d), is_rounded)
    return Turn(0, _sign(b), _sign(c), 0, is_rounded)


def turn_of_frame(frame: VideoFrame) -> Turn:
    """Read the display matrix that a decoded frame carries; none is upright."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if matrix is None else turn_of_matrix(bytes(matrix))


def _sign(value: int) -> int:
    return -1 if value < 0 else 1
