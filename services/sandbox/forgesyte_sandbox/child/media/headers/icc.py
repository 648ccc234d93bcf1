"""What an image's colour profile says: whether its colours are those of an ordinary screen (sRGB), and its name.

Only the colorants and the description are read. Source: ICC.1:2022, tags rXYZ, gXYZ, bXYZ (7.2, 9.2) and desc.
"""

import struct

_COLORANTS = {b"rXYZ": (0.4360, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
"""Those of sRGB, adapted to D50."""
_TOLERANCE = 0.012
_MAX_TAGS = 200
_MAX_NAME = 60
_SPACES = {b"CMYK": "CMYK", b"Lab ": "LAB", b"XYZ ": "XYZ"}


def unusual_profile(profile: bytes) -> str | None:
    """Return the name of a profile whose colours are not those of sRGB; None for sRGB, grey and what is unreadable."""
    space = profile[16:20]
    if len(profile) < 132 or space == b"GRAY":
        return None
    try:
        tags = _tags(profile)
        name = _name(profile, tags)
        if space != b"RGB ":
            return name or _SPACES.get(space)
        found = {kind: _colorant(profile, *tags[kind]) for kind in _COLORANTS if kind in tags}
    except (struct.error, IndexError):
        return None
    is_near = all(
        abs(value - wanted) <= _TOLERANCE
        for kind, values in found.items()
        for value, wanted in zip(values, _COLORANTS[kind], strict=True)
    )
    if found:
        return None if is_near else name or "without a name"
    return name if name and "srgb" not in name.lower() else None


def _tags(profile: bytes) -> dict[bytes, tuple[int, int]]:
    (count,) = struct.unpack_from(">I", profile, 128)
    heads = (struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, _MAX_TAGS)))
    return {kind: (at, size) for kind, at, size in heads}


def _colorant(profile: bytes, at: int, _: int) -> tuple[float, float, float]:
    x, y, z = struct.unpack_from(">3i", profile, at + 8)
    return x / 65536, y / 65536, z / 65536


def _name(profile: bytes, tags: dict[bytes, tuple[int, int]]) -> str:
    at, size = tags.get(b"desc", (0, 0))
    text = profile[at : at + size]
    if text[:4] == b"mluc":
        length, offset = struct.unpack_from(">II", text, 20)
        name = text[offset : offset + length].decode("utf-16-be", "replace")
    else:
        name = text[12:].split(b"\0")[0].decode("latin-1")
    return "".join(letter for letter in name if letter.isprintable()).strip()[:_MAX_NAME]
