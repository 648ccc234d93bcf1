"""Whether JPEG pictures follow each other in one file, as a camera's motion JPEG has them. Reads no pixels."""

import re

from .tiff_tags import Bytes

_BEGINS = b"\xff\xd8\xff"
_MULTI_PICTURE = b"MPF\0"
"""Source: CIPA DC-007, 5.1."""
_HEADER_BYTES = 256 << 10
_MAX_STEPS = 10_000
_MAX_PADDING = 4096
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def end_of_jpeg(data: Bytes, at: int = 0) -> int | None:
    """Return where the JPEG that begins at `at` ends; None when its end is not found."""
    at += 2
    for _ in range(_MAX_STEPS):
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            return None
        marker, at = data[found.start() + 1], found.end()
        if marker == 0xD9:
            return at
        if marker not in (0x01, 0xD8):  # all others have a length; behind that of a scan come its pixels
            at += int.from_bytes(data[at : at + 2], "big")
    return None


def is_jpeg_row(data: Bytes) -> bool:
    """Tell whether another JPEG follows the first one; zeros and line ends between them are padding.

    The further pictures of a photograph, which its multi-picture format lists (previews, gain maps), do not count.
    """
    end = end_of_jpeg(data)
    if end is None or data.find(_MULTI_PICTURE, 0, min(end, _HEADER_BYTES)) >= 0:
        return False
    return data[end : end + _MAX_PADDING + 3].lstrip(b"\0\r\n").startswith(_BEGINS)
