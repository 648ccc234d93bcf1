"""What the program `probe` is asked, typed for the services that run it. Nothing heavy is imported here."""

from dataclasses import dataclass

from forgesyte_contracts.jobs import JobKind

from .limits import MIB


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What to look at; the fields are the keys of the program's spec.

    Attributes:
        input: path of the file; never written to.
        kind: what the caller says it is.
        filename: the name it was sent under; it decides nothing.
        size_bytes: size of the whole file; None when all of it is there.
        holes: byte ranges [start, end) that were not kept; the file holds zeros there.
        max_side_px: longest side of a video's pictures.
        max_image_pixels: width times height of an image.
        max_frames: frames of a video; None is any number.
        decode_memory_bytes: what the estimate for decoding may reach.
    """

    input: str
    kind: JobKind = "video"
    filename: str | None = None
    size_bytes: int | None = None
    holes: tuple[tuple[int, int], ...] = ()
    max_side_px: int = 8192
    max_image_pixels: int = 50_000_000
    max_frames: int | None = None
    decode_memory_bytes: int = 1024 * MIB
