"""The table's lines for images that give their one frame."""

import base64
from functools import partial

import cv2
import numpy as np

from . import making
from .case import Accepted
from .making import clip, ffmpeg, picture, tiff, written
from .truth import draw

# 48 x 32 pixels in printing colours (Adobe's inverted ones), corners as in draw(); no tool used here writes such.
_CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJT"
    "UjI+WmFaUGBKUVJP/8AAFAgAIAAwBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
    "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
    "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
    "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD06vMK8wr06iiiivMa9Pr0+iiiiivMK9OrzCiiiiivT68x"
    "r0+iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiivMK8wr06iiiiivT69PrzGiiiiiiiiiiiiiv/2Q=="
)


def _image(name, make, codec, **changes):
    changes = {"numbers": (5,), "last_ms": 0, "announced": (1, True)} | changes
    return Accepted(name, make, codec, codec, kind="image", **changes)


def _rgb(image=None):
    return np.ascontiguousarray((draw(5) if image is None else image)[..., ::-1])


def _bgra(alpha):
    return np.dstack([draw(5), alpha])


def _transparent_middle():
    """Opaque corners and bars; what is grey in draw() is black here and fully transparent, so white shows."""
    image = draw(5)
    grey = (image == 128).all(axis=2)
    return np.dstack([np.where(grey[..., None], np.uint8(0), image), np.where(grey, 0, 255).astype(np.uint8)])


def _animated(name, codec, muxer):
    def make(folder):
        source = clip(folder / "source.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0", frames=4, first=5)
        ffmpeg(
            "-i", source, "-c:v", codec, *(("-lossless", "1") if "webp" in codec else ()), "-f", muxer, folder / name
        )
        return folder / name

    return make


def _cmyk_tiff(folder):
    rgb = _rgb().astype(int)
    black = 255 - rgb.max(axis=2, keepdims=True)
    inks = np.where(black == 255, 0, (255 - rgb - black) * 255 // np.maximum(1, 255 - black))
    return tiff(folder / "a.tiff", np.concatenate([inks, black], axis=2).astype(np.uint8), photometric=5)


def _ffmpeg_png(pixels):
    def make(folder):
        ffmpeg("-i", picture(folder / "plain.png"), "-pix_fmt", pixels, folder / "a.png")
        return folder / "a.png"

    return make


_CLOCKWISE = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}

IMAGES = [
    _image("picture.png", lambda it: picture(it / "a.png"), "png"),
    _image("picture.jpg", lambda it: picture(it / "a.jpg"), "jpeg"),
    _image("progressive.jpg", lambda it: picture(it / "a.jpg", params=[cv2.IMWRITE_JPEG_PROGRESSIVE, 1]), "jpeg"),
    _image("picture.webp", lambda it: picture(it / "a.webp"), "webp"),
    _image("lossless.webp", lambda it: picture(it / "a.webp", params=[cv2.IMWRITE_WEBP_QUALITY, 101]), "webp"),
    _image("picture.tiff", lambda it: picture(it / "a.tiff"), "tiff"),
    _image("plain.tiff", lambda it: tiff(it / "a.tiff", _rgb()), "tiff"),
    _image("png named .mp4", lambda it: picture(it / "a.png").rename(it / "a.mp4"), "png"),
    _image("grey.jpg", lambda it: picture(it / "a.jpg", image=cv2.cvtColor(draw(5), cv2.COLOR_BGR2GRAY)), "jpeg",
           has_colours=False),
    _image("grey 16 bit.png", _ffmpeg_png("gray16be"), "png", has_colours=False, warns="16 bits were reduced"),
    _image("grey and alpha.png", _ffmpeg_png("ya8"), "png", has_colours=False),
    _image("palette.png", _ffmpeg_png("pal8"), "png"),
    _image("black and white.png", _ffmpeg_png("monob"), "png", numbers=None, frames=(1, 1)),
    _image("rgb 16 bit.png", lambda it: picture(it / "a.png", image=draw(5).astype(np.uint16) * 257), "png",
           warns="16 bits were reduced"),
    _image("rgb 16 bit.tiff", lambda it: picture(it / "a.tiff", image=draw(5).astype(np.uint16) * 257), "tiff",
           warns="16 bits were reduced"),
    _image("alpha.png", lambda it: picture(it / "a.png", image=_transparent_middle()), "png",
           warns="blended onto white"),
    _image("alpha.webp", lambda it: picture(it / "a.webp", image=_transparent_middle(),
           params=[cv2.IMWRITE_WEBP_QUALITY, 101]), "webp", warns="blended onto white"),
    _image("opaque alpha.png", lambda it: picture(it / "a.png", image=_bgra(np.full((64, 96), 255, np.uint8))), "png"),
    _image("cmyk.jpg", lambda it: written(it / "a.jpg", _CMYK_JPEG), "jpeg", numbers=None, frames=(1, 1),
           size_wh=(48, 32)),
    _image("cmyk.tiff", _cmyk_tiff, "tiff"),
    _image("animated.webp", _animated("a.webp", "libwebp_anim", "webp"), "webp", warns="several pictures"),
    _image("animated.png", _animated("a.png", "apng", "apng"), "png", warns="several pictures"),
    _image("two pages.tiff", lambda it: tiff(it / "a.tiff", _rgb(), pages=2), "tiff", warns="several pictures"),
    _image("1 x 1.png", lambda it: picture(it / "a.png", image=draw(5, (1, 1))), "png", numbers=None, frames=(1, 1),
           size_wh=(1, 1)),
    *[_image(f"exif {number}.jpg", partial(lambda number, it: making.jpeg_turned(it / "a.jpg", number), number),
             "jpeg", rotation=_CLOCKWISE[number]) for number in range(1, 9)],
    *[_image(f"exif {number}.png", partial(lambda number, it: making.png_turned(it / "a.png", number), number), "png",
             rotation=_CLOCKWISE[number]) for number in (3, 6)],
    *[_image(f"exif {number}.webp", partial(lambda number, it: making.webp_turned(it / "a.webp", number), number),
             "webp", rotation=_CLOCKWISE[number]) for number in (3, 6)],
    *[_image(f"orientation {number}.tiff", partial(lambda number, it: tiff(it / "a.tiff",
             _rgb(making.stored_for(number, draw(5))), orientation=number), number), "tiff",
             rotation=_CLOCKWISE[number]) for number in range(1, 9)],
    *[_image(f"orientation {number} 16 bit.tiff", partial(lambda number, it: tiff(it / "a.tiff",
             _rgb(making.stored_for(number, draw(5))).astype(np.uint16) * 257, orientation=number), number), "tiff",
             rotation=_CLOCKWISE[number], warns="16 bits were reduced") for number in (2, 3, 6)],
]  # fmt: skip
