"""What kind of file begins with some bytes, so that a refusal can name it. Pure; decides nothing else."""

import re
from dataclasses import dataclass
from typing import Literal

Family = Literal["image", "video", "audio", "playlist", "text", "other"]
HEAD_BYTES = 4096
"""How many of a file's first bytes are looked at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the first bytes say: the family, a name with its article, and the short name of an accepted image."""

    family: Family
    name: str
    image: str | None = None


UNKNOWN = Signature("other", "data of an unknown kind")
_PREFIXES: tuple[tuple[bytes, Signature], ...] = (
    (b"\x89PNG\r\n\x1a\n", Signature("image", "a PNG image", "png")),
    (b"\xff\xd8\xff", Signature("image", "a JPEG image", "jpeg")),
    (b"II*\0", Signature("image", "a TIFF image", "tiff")),
    (b"MM\0*", Signature("image", "a TIFF image", "tiff")),
    (b"II+\0", Signature("image", "a BigTIFF image", "tiff")),
    (b"MM\0+", Signature("image", "a BigTIFF image", "tiff")),
    (b"GIF8", Signature("image", "a GIF image")),
    (b"8BPS", Signature("image", "a Photoshop image")),
    (b"\x00\x00\x00\x0cJXL ", Signature("image", "a JPEG XL image")),
    (b"\xff\x0a", Signature("image", "a JPEG XL image")),
    (b"\x00\x00\x00\x0cjP  ", Signature("image", "a JPEG 2000 image")),
    (b"\x1aE\xdf\xa3", Signature("video", "a Matroska or WebM file")),
    (b"FLV\x01", Signature("video", "an FLV file")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Signature("video", "a Windows Media file")),
    (b"\x00\x00\x01\xba", Signature("video", "an MPEG file")),
    (b"OggS", Signature("video", "an Ogg file")),
    (b"ID3", Signature("audio", "an MP3 sound file")),
    (b"fLaC", Signature("audio", "a FLAC sound file")),
    (b"PK\x03\x04", Signature("other", "a ZIP archive")),
    (b"PK\x05\x06", Signature("other", "an empty ZIP archive")),
    (b"\x1f\x8b", Signature("other", "a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", Signature("other", "a 7z archive")),
    (b"Rar!", Signature("other", "a RAR archive")),
    (b"\x28\xb5\x2f\xfd", Signature("other", "a zstd archive")),
    (b"%PDF-", Signature("other", "a PDF document")),
    (b"\x7fELF", Signature("other", "an executable")),
    (b"MZ", Signature("other", "an executable")),
    (b"#EXTM3U", Signature("playlist", "an HLS or M3U playlist")),
    (b"ffconcat", Signature("playlist", "a concat script")),
    (b"v=0\n", Signature("playlist", "an SDP session description")),
    (b"v=0\r\n", Signature("playlist", "an SDP session description")),
)
_RIFF = {
    b"WEBP": Signature("image", "a WebP image", "webp"),
    b"AVI ": Signature("video", "an AVI file"),
    b"WAVE": Signature("audio", "a WAV sound file"),
}
_BRANDS = {
    b"avif": Signature("image", "an AVIF image"), b"avis": Signature("image", "an AVIF image"),
    b"heic": Signature("image", "a HEIC image"), b"heix": Signature("image", "a HEIC image"),
    b"mif1": Signature("image", "a HEIF image"), b"msf1": Signature("image", "a HEIF image"),
}  # fmt: skip
_MP4 = Signature("video", "an MP4 or MOV file")
_TEXTS: tuple[tuple[str, Signature], ...] = (
    (r"<mpd\b|<\?xml[^>]*>\s*<mpd\b", Signature("playlist", "a DASH playlist")),
    (r"\[playlist\]", Signature("playlist", "a PLS playlist")),
    (r"(#[^\n]*\n|\s)*file\s+['\"/\w]", Signature("playlist", "a concat script")),
    (r"(<\?xml[^>]*>\s*)?(<!doctype svg|<svg)\b", Signature("image", "an SVG drawing")),
    (r"(<!doctype html|<html)\b", Signature("text", "a web page")),
    (r"[a-z]{3,9}://\S+\s*$", Signature("playlist", "a text file that holds an address")),
)


def recognise(head: bytes) -> Signature:
    """Name what begins with `head` (HEAD_BYTES or fewer bytes)."""
    for prefix, found in _PREFIXES:
        if head.startswith(prefix):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _MP4)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _MP4
    if _is_transport_stream(head):
        return Signature("video", "an MPEG transport stream")
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return Signature("image", "a BMP image")
    return _recognise_text(head)


def _is_transport_stream(head: bytes) -> bool:
    return len(head) > 3 * 188 and all(head[at] == 0x47 for at in (0, 188, 376))


def _recognise_text(head: bytes) -> Signature:
    if not head or b"\0" in head:
        return UNKNOWN
    try:
        # The last character may be cut in two.
        text = head.decode("utf-8-sig", "strict" if len(head) < HEAD_BYTES else "ignore").lstrip().lower()
    except UnicodeDecodeError:
        return UNKNOWN
    if not all(character.isprintable() or character in "\r\n\t\f" for character in text):
        return UNKNOWN
    if text.startswith("#extm3u"):
        return Signature("playlist", "an HLS or M3U playlist")
    for pattern, found in _TEXTS:
        if re.match(pattern, text):
            return found
    return Signature("text", "a text file")
