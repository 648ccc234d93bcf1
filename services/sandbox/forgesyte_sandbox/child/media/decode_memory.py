"""How much memory decoding takes, estimated from what the headers say before a picture is decoded.

Deliberately a little high: it counts the pictures that a standard lets its decoder keep, and our own copies.
"""

from av.video.format import VideoFormat

from forgesyte_sandbox.shared.limits import Limits

_BGR_BYTES = 3
_BASE_BYTES = 16 << 20
# Pictures that the standard lets a decoder keep, and the one it works on. Those of H.264 and HEVC depend on the size.
_KEPT = {"vp8": 5, "vp9": 11, "av1": 11, "mpeg4": 4, "mpeg2video": 4, "mpeg1video": 4}
_INTRA = frozenset({"mjpeg", "prores", "ffv1", "dnxhd", "rawvideo", "png", "jpeg2000", "huffyuv", "dvvideo", "qtrle"})
_H264_LARGEST_DPB_PIXELS = 696_320 * 256
_HEVC_LARGEST_PICTURE = 35_651_584
_MOST_KEPT = 16


def estimate_decode_bytes(codec: str, pixel_format: VideoFormat | None, size_wh: tuple[int, int]) -> int:
    """Estimate the bytes that decoding a video needs on top of the process itself.

    Args:
        codec: the coding's short name.
        pixel_format: of the decoded pictures, with their stored size; None when unknown (8 bits 4:2:0 is assumed).
        size_wh: stored width and height in pixels.

    Source: H.264 table A-1 (MaxDpbMbs), HEVC A.4.2 (MaxDpbSize), both at the highest level.
    """
    width, height = size_wh
    surface = _surface_bytes(pixel_format, width * height)
    picture = _BGR_BYTES * width * height
    limits = Limits()
    waiting = max(1, min(limits.decode_ahead_frames, limits.decode_ahead_bytes // max(1, picture)))
    # One with the tools, one being turned, one being copied out of the decoder.
    return _BASE_BYTES + _surfaces(codec, width * height) * surface + (waiting + 3) * picture


def estimate_image_bytes(size_wh: tuple[int, int], *, channels: int, bits: int) -> int:
    """Estimate the bytes for decoding an image: its samples as stored, reduced to 8 bits, and as BGR twice."""
    pixels = size_wh[0] * size_wh[1]
    stored = channels * (2 if bits > 8 else 1)
    reduced = channels if bits > 8 else 0
    return _BASE_BYTES + pixels * (stored + reduced + 2 * _BGR_BYTES)


def _surface_bytes(pixel_format: VideoFormat | None, pixels: int) -> int:
    if pixel_format is None or not pixel_format.components:
        return pixels * 3 // 2
    return sum(part.width * part.height * -(-part.bits // 8) for part in pixel_format.components)


def _surfaces(codec: str, pixels: int) -> int:
    if codec in _INTRA:
        return 2
    if codec == "h264":
        return min(_MOST_KEPT, _H264_LARGEST_DPB_PIXELS // max(1, pixels)) + 2
    if codec == "hevc":
        return _hevc_kept(pixels) + 2
    return _KEPT.get(codec, 6)


def _hevc_kept(pixels: int) -> int:
    for share, kept in ((4, _MOST_KEPT), (2, 12)):
        if pixels * share <= _HEVC_LARGEST_PICTURE:
            return kept
    return 8 if pixels * 4 <= 3 * _HEVC_LARGEST_PICTURE else 6
