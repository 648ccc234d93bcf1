"""An image as a Source of one picture: upright 8-bit BGR, whatever the file's samples were.

Transparent parts are blended onto white, as a web page shows them; 16-bit samples are reduced to 8; of an animation or
of several pages the first is used; each of these adds a warning. An image that OpenCV cannot decode to its last line is
refused: half an image would give a result that looks whole.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from forgesyte_sandbox.child.failures import is_out_of_memory
from forgesyte_sandbox.shared import messages
from forgesyte_sdk import Image

from .decode_memory import estimate_image_bytes
from .facts.frame_count import Basis
from .headers.image_header import BrokenHeader, ImageHeader, read_header
from .headers.signature import HEAD_BYTES, Signature, recognise
from .media import Claims, media_invalid, require_headroom
from .media_limits import MediaGuard
from .orientation import turn_of_exif
from .source import Picture, Seen
from .sparse_file import SparseFile

_MAX_BITS = 16
_WHITE = 255
_BLEND_ROWS = 256
_OPENCV_NO_MEMORY_ROOM = 16 << 20


class ImageSource:
    """An image as a Source (see source.py for its attributes).

    Attributes:
        header: what the file's header says.
        memory_bytes: what decoding is estimated to need.
    """

    def __init__(self, file: Path | SparseFile, allowed: MediaGuard) -> None:
        kept = file if isinstance(file, SparseFile) else SparseFile(file)
        try:
            self.header = _header_of(kept)
            self._data = None if kept.has_holes else np.frombuffer(kept.mapped(), np.uint8)
        finally:
            if kept is not file:
                kept.close()
        header = self.header
        allowed.require_pixels(header.width, header.height)
        size_wh = (header.width, header.height)
        self.memory_bytes = estimate_image_bytes(size_wh, channels=header.channels, bits=header.bits)
        allowed.require_memory(self.memory_bytes, *size_wh)
        _require_samples(header)
        self._turn = turn_of_exif(header.orientation)
        self.claims = Claims(header.codec, None, 1, Basis.COUNTED)
        self.decoded = 0
        self.corrupt = 0
        self.rotation = self._turn.clockwise
        self.size_wh = (0, 0)
        self.decode_ms = 0.0
        self.warnings: list[messages.Warning] = []

    @property
    def upright_wh(self) -> tuple[int, int]:
        """The size that the header promises, upright."""
        return self._turn.size_wh(self.header.width, self.header.height)

    @property
    def seen(self) -> Seen:
        """An image has neither clock nor rate nor streams."""
        return Seen()

    @property
    def is_as_stated(self) -> bool:
        """Whether the picture was decoded: one that is not as its header states is refused."""
        return self.decoded == 1

    def pictures(self) -> Iterator[Picture]:
        """Yield the one picture.

        Raises:
            Refusal: MEDIA_INVALID, for damage.
            MemoryError: memory was refused.
        """
        began = time.monotonic()
        image = self._bgr(self._decode())
        # OpenCV turns TIFF pages by itself; JPEG, PNG and WebP it does not turn when samples are kept as stored.
        if self.header.codec != "tiff":
            image = self._turn.apply(image)
        image = np.ascontiguousarray(image)
        self.size_wh = (image.shape[1], image.shape[0])
        if self.size_wh != self.upright_wh:
            text = f"its header promises {self.upright_wh[0]} x {self.upright_wh[1]} pixels"
            raise _damaged(self.header, f"{text}, it decodes to {image.shape[1]} x {image.shape[0]}")
        if self.header.pictures > 1:
            self.warnings.append(
                messages.Warning(f"the {self.header.codec} file holds several pictures; the first is used")
            )
        if self.header.colours is not None:
            text = f"the colours of the image are {self.header.colours}; they were read as those of an ordinary screen"
            self.warnings.append(messages.Warning(f"{text} (sRGB), so they are not exact"))
        self.decode_ms = (time.monotonic() - began) * 1000
        self.decoded = 1
        yield Picture(image, 0, 0.0)

    def require_decodable(self) -> None:
        """Decode and discard the pixels, so that half an image is noticed before a job is made of it.

        Raises:
            Refusal: MEDIA_INVALID, for damage.
            MemoryError: memory was refused.
        """
        self._decode()

    def _decode(self) -> "np.ndarray[Any, Any]":
        image: np.ndarray[Any, Any] | None = None
        if self._data is not None:
            try:
                image = cv2.imdecode(self._data, cv2.IMREAD_UNCHANGED)
            except cv2.error as error:
                if is_out_of_memory(error):
                    raise
        if image is None:
            require_headroom(max(_OPENCV_NO_MEMORY_ROOM, self.memory_bytes // 4))
            raise _damaged(self.header, "its pixels cannot be decoded to the end; it may be cut off")
        self._data = None
        return image

    def _bgr(self, image: "np.ndarray[Any, Any]") -> Image:
        if image.dtype == np.uint16:
            self.warnings.append(messages.Warning("samples of 16 bits were reduced to 8 bits"))
            image = cv2.convertScaleAbs(image, alpha=1 / 257)
        if image.dtype != np.uint8:
            raise _damaged(self.header, f"its samples are {image.dtype}; samples of 8 or 16 bits are accepted")
        if image.ndim == 2 or image.shape[2] == 1:
            return cast(Image, cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
        if image.shape[2] == 4:
            return self._over_white(image)
        return image

    def _over_white(self, image: "np.ndarray[Any, Any]") -> Image:
        if image[..., 3].min() == _WHITE:
            return cast(Image, cv2.cvtColor(image, cv2.COLOR_BGRA2BGR))
        self.warnings.append(messages.Warning("transparent parts were blended onto white"))
        laid = np.empty((*image.shape[:2], 3), np.uint8)
        for top in range(0, image.shape[0], _BLEND_ROWS):  # in strips: the steps in between need no whole images
            rows = image[top : top + _BLEND_ROWS]
            alpha = cv2.merge([rows[..., 3]] * 3)
            darkness = cv2.bitwise_not(np.ascontiguousarray(rows[..., :3]))
            laid[top : top + _BLEND_ROWS] = cv2.bitwise_not(cv2.multiply(darkness, alpha, scale=1 / _WHITE))
        return laid


def _header_of(file: SparseFile) -> ImageHeader:
    if file.size == 0:
        raise media_invalid("the file is empty (0 bytes)", kind="image")
    found = recognise(file.at(0, HEAD_BYTES))
    if found.image is None:
        raise media_invalid(_other(found), kind="image")
    try:
        return read_header(found.image, file.mapped())
    except BrokenHeader as error:
        file.saw_hole |= file.has_holes  # a TIFF's header may be anywhere in the file
        raise media_invalid(f"the file begins like {found.name}, but {error}", kind="image") from None


def _other(found: Signature) -> str:
    if found.family == "video":
        return f"the file is {found.name}, not an image; send it as a video"
    if found.family == "image":
        return f"the file is {found.name}, which is not accepted; convert it"
    return f"the file is {found.name}, not an image"


def _require_samples(header: ImageHeader) -> None:
    if header.is_float or header.bits > _MAX_BITS:
        kind = "floating-point" if header.is_float else "integer"
        text = f"it has {kind} samples of {header.bits} bits; integer samples of 8 or 16 bits are accepted"
        raise _damaged(header, text)


def _damaged(header: ImageHeader, text: str) -> Exception:
    return media_invalid(f"the {header.codec.upper()} image cannot be used: {text}", kind="image")
