"""The table's lines for files that are refused, with the words that must stand in the sentence."""

import av
import cv2
import numpy as np

from . import making
from .case import Refused
from .making import H264, clip, copy, cut, ffmpeg, picture, written
from .truth import draw

_VIDEO, _IMAGE = "expected a video", "expected a PNG, JPEG, WebP or TIFF image"
_SINE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1")


def _sound(name, *options):
    def make(folder):
        ffmpeg(*_SINE, *options, folder / name)
        return folder / name

    return make


def _sound_with_cover(folder):
    cover = picture(folder / "cover.png")
    ffmpeg(*_SINE, "-i", cover, "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "copy", "-disposition:v:0",
           "attached_pic", folder / "a.mp4")  # fmt: skip
    return folder / "a.mp4"


def _no_fragments(folder):
    """The first piece of a stream in fragments: a track, and not one sample."""
    content = clip(folder / "a.mp4", *H264, "-movflags", "frag_keyframe+empty_moov").read_bytes()
    return written(folder / "a.mp4", content[: content.index(b"moof") - 4])


def _no_frames(folder):
    path = folder / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.start_encoding()
    return path


def _zip(folder):
    import zipfile

    with zipfile.ZipFile(folder / "a.mp4", "w") as archive:
        archive.writestr("a.txt", "hello")
    return folder / "a.mp4"


def _script(content):
    def make(folder):
        clip(folder / "plain.mp4")  # the file it points at is really there
        return written(folder / "a.mp4", content)

    return make


def _gif(folder, name="a.gif"):
    source = clip(folder / "source.mkv", frames=4)
    ffmpeg("-i", source, "-f", "gif", folder / name)
    return folder / name


def _spoiled_index(folder):
    path = clip(folder / "a.mp4", *H264, "-movflags", "+faststart")
    content = path.read_bytes()
    at = content.index(b"stbl")
    return written(path, content[: at + 4] + bytes(600) + content[at + 604 :])


VIDEOS = [
    Refused("empty.mp4", lambda it: written(it / "a.mp4", b""), ("empty (0 bytes)", _VIDEO)),
    Refused("text.mp4", lambda it: written(it / "a.mp4", b"hello, I am text\n" * 40), ("a text", _VIDEO)),
    Refused("zip.mp4", _zip, ("a ZIP archive", _VIDEO)),
    Refused("png.mp4", lambda it: picture(it / "a.png").rename(it / "a.mp4"), ("a PNG image", "as an image", _VIDEO)),
    Refused("jpeg as video", lambda it: picture(it / "a.jpg"), ("a JPEG image", "as an image", _VIDEO)),
    Refused("gif as video", _gif, ("a GIF image", _VIDEO)),
    Refused("noise.mp4", lambda it: written(it / "a.mp4", np.random.default_rng(1).bytes(5000)), ("unknown", _VIDEO)),
    Refused("zeros.mp4", lambda it: written(it / "a.mp4", bytes(5000)), ("unknown", _VIDEO)),
    Refused("index missing.mp4", lambda it: cut(clip(it / "a.mp4")), ("cut off before its index (moov)", "mdat")),
    Refused("cut in its index.mp4", lambda it: cut(clip(it / "a.mp4", *H264, "-movflags", "+faststart"), 0.05),
            ("cut off inside its index (moov)", _VIDEO)),
    Refused("index spoiled.mp4", _spoiled_index, ("index is damaged", _VIDEO)),
    Refused("only a head.mp4", lambda it: cut(clip(it / "a.mp4"), 0.005), ("cut off before its index", _VIDEO)),
    Refused("no fragments.mp4", _no_fragments, ("0 frames", _VIDEO)),
    Refused("sound.wav", _sound("a.wav"), ("a WAV sound file", _VIDEO)),
    Refused("sound.m4a", _sound("a.m4a", "-c:a", "aac"), ("holds audio and no video stream", _VIDEO)),
    Refused("sound.mp3", _sound("a.mp3"), ("sound", _VIDEO)),
    Refused("sound.mkv", _sound("a.mkv", "-c:a", "libvorbis"), ("holds audio and no video stream", _VIDEO)),
    Refused("sound with cover.mp4", _sound_with_cover, ("holds audio, cover and no video stream", _VIDEO)),
    Refused("no frames.mkv", _no_frames, ("ends before its first frame", _VIDEO)),
    Refused("hls playlist.mp4", _script(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nplain.mp4\n#EXT-X-ENDLIST\n"),
            ("playlist", "only names other files", _VIDEO)),
    Refused("ffconcat.mp4", _script(b"ffconcat version 1.0\nfile plain.mp4\n"), ("a concat script", _VIDEO)),
    Refused("concat list.mp4", _script(b"# mine\nfile 'plain.mp4'\n"), ("a concat script", _VIDEO)),
    Refused("sdp.mp4", _script(b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96"
            b"\na=rtpmap:96 H264/90000\n"), ("an SDP session", _VIDEO)),
    Refused("dash.mp4", _script(b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>'),
            ("a DASH playlist", _VIDEO)),
    Refused("address.mp4", _script(b"http://127.0.0.1:9/a.mp4\n"), ("holds an address", _VIDEO)),
    Refused("8194 x 16.mp4", lambda it: clip(it / "a.mp4", *H264, frames=2, size_wh=(8194, 16)),
            ("8194 x 16", "8192"), "MEDIA_TOO_LARGE"),
    Refused("too much memory.mkv", lambda it: clip(it / "a.mkv", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", frames=1,
            size_wh=(1280, 720)), ("1280 x 720", "MiB", "20 MiB"), "MEDIA_TOO_LARGE",
            spec={"decode_memory_bytes": 20 << 20}),
    Refused("too many frames.mp4", lambda it: clip(it / "a.mp4"), ("20 frames", "10"), "MEDIA_TOO_LARGE",
            spec={"max_frames": 10}),
]  # fmt: skip

IMAGES = [
    Refused("empty.png", lambda it: written(it / "a.png", b""), ("empty (0 bytes)", _IMAGE), kind="image"),
    Refused("text.png", lambda it: written(it / "a.png", b"hello"), ("a text", _IMAGE), kind="image"),
    Refused("video as image", lambda it: clip(it / "a.mp4"), ("MP4", "send it as a video", _IMAGE), kind="image"),
    Refused("webm as image", lambda it: copy(clip(it / "a.mkv"), it / "b.mkv"), ("Matroska", "as a video"),
            kind="image"),
    Refused("animated.gif", _gif, ("a GIF image", "not accepted", _IMAGE), kind="image"),
    Refused("picture.bmp", lambda it: picture(it / "a.bmp"), ("a BMP image", "not accepted", _IMAGE), kind="image"),
    Refused("drawing.svg", lambda it: written(it / "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
            ("an SVG drawing", _IMAGE), kind="image"),
    Refused("20000 x 20000.png", lambda it: making.png_header(it / "a.png", 20000, 20000),
            ("20000 x 20000 = 400000000 pixels", "at most 50000000"), "MEDIA_TOO_LARGE", kind="image"),
    Refused("20000 x 20000.tiff", lambda it: making.tiff(it / "a.tiff", np.broadcast_to(np.uint8(1), (1, 1, 3)).copy())
            and _claim(it / "a.tiff"), ("20000 x 20000", "50000000"), "MEDIA_TOO_LARGE", kind="image"),
    Refused("65500 x 65500.jpg", lambda it: _large_jpeg(it / "a.jpg"), ("65500 x 65500", "50000000"),
            "MEDIA_TOO_LARGE", kind="image"),
    Refused("cut at 60 %.png", lambda it: cut(picture(it / "a.png")), ("PNG", "cut off", _IMAGE), kind="image"),
    Refused("cut at 60 %.jpg", lambda it: cut(picture(it / "a.jpg", image=_noise())), ("JPEG", "cut off", _IMAGE),
            kind="image"),
    Refused("cut at 60 %.webp", lambda it: cut(picture(it / "a.webp")), ("WEBP", "cut off", _IMAGE), kind="image"),
    Refused("cut at 60 %.tiff", lambda it: cut(making.tiff(it / "a.tiff", _rgb())), ("TIFF", "cut off", _IMAGE),
            kind="image"),
    Refused("head alone.png", lambda it: cut(picture(it / "a.png"), 0.05), ("header ends too early", _IMAGE),
            kind="image"),
    Refused("float samples.tiff", lambda it: picture(it / "a.tiff", image=draw(5).astype(np.float32) / 255),
            ("floating-point samples of 32 bits", "8 or 16 bits"), kind="image"),
    Refused("0 x 0.png", lambda it: making.png_header(it / "a.png", 0, 0), ("0 x 0", _IMAGE), kind="image"),
]  # fmt: skip


def _rgb():
    return np.ascontiguousarray(draw(5)[..., ::-1])


def _noise():
    return np.random.default_rng(2).integers(0, 256, (64, 96, 3), np.uint8)


def _claim(path):
    content = bytearray(path.read_bytes())
    for tag in (b"\x00\x01\x03\x00\x01\x00\x00\x00", b"\x01\x01\x03\x00\x01\x00\x00\x00"):
        at = content.index(tag) + len(tag)
        content[at : at + 4] = (20000).to_bytes(4, "little")
    return written(path, bytes(content))


def _large_jpeg(path):
    _, coded = cv2.imencode(".jpg", draw(5))
    content = bytearray(coded.tobytes())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = (65500).to_bytes(2, "big") * 2
    return written(path, bytes(content))


REFUSED = [*VIDEOS, *IMAGES]
