"""What media the product accepts, in the words with which every refusal ends."""

from collections.abc import Mapping
from types import MappingProxyType

ACCEPTED_MEDIA: Mapping[str, str] = MappingProxyType(
    {
        "video": "a video with at least one frame, such as MP4, MOV, MKV, WebM, AVI or MPEG-TS",
        "image": "a PNG, JPEG, WebP or TIFF image",
    }
)
"""By kind of job, as a noun: it follows "expected"."""
