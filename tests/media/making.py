"""Make the table's files: with the ffmpeg program, with PyAV where that cannot, byte by byte where neither can."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from .truth import SIZE_WH, draw

FPS = 10
FRAMES = 20
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "10")


def ffmpeg(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """Run the program and return its stdout."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    if stdin:
        command.remove("-nostdin")
    done = subprocess.run(command, input=stdin or None, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def clip(
    path: Path, *options: str, frames: int = FRAMES, size_wh=SIZE_WH, inputs: Sequence = (), first=0, is_rough=False
) -> Path:
    """Write a clip of numbered pictures; `options` say codec and container, `inputs` come behind the pictures."""
    pictures = b"".join(draw(first + index, size_wh, is_rough=is_rough).tobytes() for index in range(frames))
    raw = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size_wh[0]}x{size_wh[1]}", "-r", str(FPS), "-i", "-")
    ffmpeg(*raw, *inputs, *(options or H264), "-threads", "1", path, stdin=pictures)
    return path


def copy(source: Path, target: Path, *options: str | Path, before: Sequence = ()) -> Path:
    """Write the same coded pictures into another file."""
    ffmpeg(*before, "-i", source, *options, "-c", "copy", target)
    return target


def picture(path: Path, number: int = 5, **changes) -> Path:
    """Write one picture as an image, by OpenCV."""
    assert cv2.imwrite(str(path), changes.pop("image", draw(number)), changes.pop("params", []))
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    """Keep only the first part of a file."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def spoil(path: Path, *, at: float = 0.5, size: int = 200) -> Path:
    """Put noise over a part of a file."""
    content = bytearray(path.read_bytes())
    start = int(len(content) * at)
    content[start : start + size] = np.random.default_rng(3).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(content)
    return path


def written(path: Path, content: bytes) -> Path:
    """Write bytes."""
    path.write_bytes(content)
    return path


def with_matrix(path: Path, matrix: tuple[int, int, int, int], stored) -> Path:
    """Write an H.264 clip whose display matrix is (a, b, c, d); `stored` turns a picture into what is stored."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "10"})
        first = np.ascontiguousarray(stored(draw(0)))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        a, b, c, d = (value * 65536 for value in matrix)
        stream.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        for index in range(FRAMES):
            image = np.ascontiguousarray(stored(draw(index)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def exif(orientation: int) -> bytes:
    """Return an EXIF block that holds nothing but an orientation."""
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0) + bytes(4)


def stored_for(orientation: int, image: np.ndarray) -> np.ndarray:
    """Turn an upright picture into what a camera stores for an EXIF orientation (1 to 8)."""
    turned = {
        1: lambda it: it,
        2: lambda it: it[:, ::-1],
        3: lambda it: it[::-1, ::-1],
        4: lambda it: it[::-1],
        5: lambda it: it.swapaxes(0, 1),
        6: lambda it: np.rot90(it),
        7: lambda it: np.rot90(it, 2).swapaxes(0, 1),
        8: lambda it: np.rot90(it, -1),
    }
    return np.ascontiguousarray(turned[orientation](image))


def jpeg_turned(path: Path, orientation: int) -> Path:
    """Write a JPEG with an EXIF orientation whose upright picture is draw(5)."""
    _, coded = cv2.imencode(".jpg", stored_for(orientation, draw(5)), [cv2.IMWRITE_JPEG_QUALITY, 95])
    block = b"Exif\0\0" + exif(orientation)
    data = coded.tobytes()
    return written(path, data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:])


def png_turned(path: Path, orientation: int) -> Path:
    """Write a PNG with an eXIf chunk."""
    import zlib

    _, coded = cv2.imencode(".png", stored_for(orientation, draw(5)))
    data, body = coded.tobytes(), b"eXIf" + exif(orientation)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return written(path, data[:33] + chunk + data[33:])


def webp_turned(path: Path, orientation: int) -> Path:
    """Write an extended WebP with an EXIF chunk behind the picture."""
    image = stored_for(orientation, draw(5))
    _, coded = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 90])
    body = coded.tobytes()[12:]
    height, width = image.shape[:2]
    if body[:4] == b"VP8X":  # the encoder wrote an extended header itself: keep what follows it
        body = body[18:]
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + sizes
    block = exif(orientation)
    chunks = b"WEBP" + head + body + b"EXIF" + struct.pack("<I", len(block)) + block
    return written(path, b"RIFF" + struct.pack("<I", len(chunks)) + chunks)


def tiff(
    path: Path, image: np.ndarray, *, orientation: int = 1, photometric: int = 2, pages: int = 1, sample_format: int = 1
) -> Path:
    """Write an uncompressed TIFF whose samples are `image` as it is, (H, W, 3 or 4)."""
    height, width, samples = image.shape
    data, pixels = bytearray(b"II*\0" + struct.pack("<I", 8)), image.tobytes()
    for page in range(pages):
        bits_at = len(data) + 2 + 12 * 11 + 4
        formats_at = bits_at + 2 * samples
        pixels_at = formats_at + 2 * samples
        tags = (
            (256, 3, 1, width), (257, 3, 1, height), (258, 3, samples, bits_at), (259, 3, 1, 1),
            (262, 3, 1, photometric), (273, 4, 1, pixels_at), (274, 3, 1, orientation), (277, 3, 1, samples),
            (278, 3, 1, height), (279, 4, 1, len(pixels)), (339, 3, samples, formats_at),
        )  # fmt: skip
        data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        data += struct.pack("<I", pixels_at + len(pixels) if page + 1 < pages else 0)
        data += struct.pack(f"<{samples}H", *[image.dtype.itemsize * 8] * samples)
        data += struct.pack(f"<{samples}H", *[sample_format] * samples) + pixels
    return written(path, bytes(data))


def png_header(path: Path, width: int, height: int) -> Path:
    """Write a PNG that promises a size and holds almost nothing: a decompression bomb's outside."""
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return written(path, b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
