"""The table's lines for videos that give frames."""

import os
import struct
import threading

import numpy as np

from . import making
from .case import EVERY, FRAMES, Accepted
from .making import FPS, H264, clip, copy, cut, ffmpeg, spoil, with_matrix

_PICTURE = b"\0\0\1\xb6"
_COUNTED = (FRAMES, True)
_NOT_ANNOUNCED = (None, False)
_AUDIO = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
_SVTAV1 = ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-crf", "20", "-pix_fmt", "yuv420p")


def _short_gops(path):
    return clip(path, *H264, "-g", "4", "-bf", "0", is_rough=True)


def _edit_list(folder):
    return copy(clip(folder / "whole.mp4", *H264, "-g", "20"), folder / "edit.mp4", before=("-ss", "0.75"))


def _late_start(folder):
    return clip(folder / "late.mp4", *H264, "-output_ts_offset", "3")


def _variable_rate(folder):
    stretch = f"setpts=if(lt(N\\,10)\\,N\\,10+(N-10)*3)/({FPS}*TB)"
    return clip(
        folder / "variable.mp4", *H264, "-vf", stretch, "-vsync", "passthrough", "-video_track_timescale", "600"
    )


def _no_length(*options):
    """Encode into a pipe, as a live recorder does: the muxer cannot go back to write the length."""

    def make(folder):
        live = folder / "live"
        os.mkfifo(live)
        taken = []
        reader = threading.Thread(target=lambda: taken.append(live.read_bytes()), daemon=True)
        reader.start()
        clip(live, *options)
        reader.join()
        (folder / "a.bin").write_bytes(taken[0])
        return folder / "a.bin"

    return make


def _two_sizes(folder):
    first = clip(folder / "first.ts", *H264, frames=10)
    second = clip(folder / "second.ts", *H264, "-output_ts_offset", "1", frames=10, size_wh=(128, 80), first=10)
    (folder / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    return folder / "both.ts"


def _with_cover(folder):
    cover, video = making.picture(folder / "cover.png", 99), clip(folder / "plain.mp4")
    ffmpeg("-i", cover, "-i", video, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic",
           folder / "cover.mp4")  # fmt: skip
    return folder / "cover.mp4"


def _with_unflagged_cover(suffix):
    """A picture that is larger than the video, in front of it, without any flag."""

    def make(folder):
        cover = making.picture(folder / "cover.png", image=np.full((400, 400, 3), 90, np.uint8))
        video = clip(folder / "plain.mp4")
        flags = ("-disposition:v:0", "0", "-disposition:v:1", "0")
        ffmpeg("-i", cover, "-i", video, "-map", "0", "-map", "1", "-c", "copy", *flags, folder / f"cover.{suffix}")
        return folder / f"cover.{suffix}"

    return make


def _piped(folder):
    """An AVI that was written to a pipe: its header says 2^30 frames."""
    source = clip(folder / "a.mkv")
    return making.written(
        folder / "a.avi", making.ffmpeg("-i", source, "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "avi", "-")
    )


def _packed(folder):
    """B-frames packed into one chunk with the frame before them, as DivX and Xvid do, and an empty one behind."""
    content = clip(folder / "a.avi", "-c:v", "mpeg4", "-bf", "1", "-q:v", "2", "-vtag", "XVID").read_bytes()
    at = content.index(b"movi") + 4
    start, chunks, packed = at, list[bytes](), list[bytes]()
    while content[at : at + 4] == b"00dc":
        (size,) = struct.unpack_from("<I", content, at + 4)
        chunks.append(content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    first = chunks[0].index(_PICTURE)
    chunks[0] = chunks[0][:first] + b"\0\0\1\xb2DivX503b1393p" + chunks[0][first:]
    for chunk in chunks:
        if chunk[chunk.index(_PICTURE) + 4] >> 6 == 2:  # a B-frame
            packed[-1:] = [packed[-1] + chunk, _PICTURE + b"\x50\0\x7f"]
        else:
            packed.append(chunk)
    body, index = b"movi", b""
    for chunk in packed:
        index += struct.pack("<4sIII", b"00dc", 16 * (not index), len(body), len(chunk))
        body += b"00dc" + struct.pack("<I", len(chunk)) + chunk + bytes(len(chunk) % 2)
    lists = content[12 : start - 12] + struct.pack("<4sI", b"LIST", len(body)) + body
    lists += struct.pack("<4sI", b"idx1", len(index)) + index
    return making.written(folder / "b.avi", content[:4] + struct.pack("<I", 4 + len(lists)) + b"AVI " + lists)


def _with_subtitles(folder):
    words = making.written(folder / "words.srt", b"1\n00:00:00,000 --> 00:00:02,000\nhello\n")
    return clip(folder / "words.mkv", *H264, "-c:s", "srt", inputs=("-i", words))


def _with_time_code(folder):
    return clip(folder / "code.mov", *H264, "-timecode", "01:00:00:00")


def _first_index(path, *options):
    return clip(path, *H264, "-g", "4", "-bf", "0", "-movflags", "+faststart", *options, is_rough=True)


CONTAINERS = [
    Accepted("h264.mp4", lambda it: clip(it / "a.mp4"), "h264", "mp4", announced=_COUNTED),
    Accepted("h264.mov", lambda it: clip(it / "a.mov"), "h264", "mov", announced=_COUNTED),
    Accepted("h264 b-frames.mkv", lambda it: clip(it / "a.mkv", *H264[:2], "-bf", "3", "-crf", "10", "-pix_fmt",
             "yuv420p"), "h264", "mkv"),
    Accepted("h264.ts", lambda it: clip(it / "a.ts"), "h264", "mpegts"),
    Accepted("h264.flv", lambda it: clip(it / "a.flv"), "h264", "flv"),
    Accepted("raw.h264", lambda it: clip(it / "a.h264"), "h264", "h264", announced=_NOT_ANNOUNCED),
    Accepted("h264 fragmented.mp4", lambda it: clip(it / "a.mp4", *H264, "-g", "5", "-movflags",
             "frag_keyframe+empty_moov"), "h264", "mp4"),
    Accepted("hevc.mp4", lambda it: clip(it / "a.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
             "log-level=none:pools=none", "-crf", "10", "-pix_fmt", "yuv420p"), "hevc", "mp4", announced=_COUNTED),
    Accepted("vp8.webm", lambda it: clip(it / "a.webm", "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M"),
             "vp8", "webm"),
    Accepted("vp9.webm", lambda it: clip(it / "a.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-b:v", "2M",
             "-pix_fmt", "yuv420p"), "vp9", "webm"),
    Accepted("vp9 no length.webm", _no_length("-c:v", "libvpx-vp9", "-deadline", "realtime", "-b:v", "2M", "-pix_fmt",
             "yuv420p", "-f", "webm"), "vp9", "webm", announced=_NOT_ANNOUNCED),
    Accepted("av1.mp4", lambda it: clip(it / "a.mp4", *_SVTAV1), "av1", "mp4", announced=_COUNTED),
    Accepted("mpeg4.avi", lambda it: clip(it / "a.avi", "-c:v", "mpeg4", "-q:v", "2"), "mpeg4", "avi"),
    Accepted("mpeg4 b-frames.avi", lambda it: clip(it / "a.avi", "-c:v", "mpeg4", "-q:v", "2", "-bf", "2"), "mpeg4",
             "avi"),
    Accepted("xvid packed.avi", _packed, "mpeg4", "avi"),
    Accepted("h264 by a pipe.avi", _piped, "h264", "avi", announced=_NOT_ANNOUNCED),
    Accepted("mjpeg.avi", lambda it: clip(it / "a.avi", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"), "mjpeg",
             "avi"),
    Accepted("mjpeg.mov", lambda it: clip(it / "a.mov", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj422p"), "mjpeg",
             "mov", announced=_COUNTED),
    Accepted("mpeg2.mpg", lambda it: clip(it / "a.mpg", "-vf", "fps=25", "-c:v", "mpeg2video", "-q:v", "2"),
             "mpeg2video", "mpeg", numbers=None, frames=(48, 52), last_ms=None, announced=None),
    Accepted("mpeg2 interlaced.ts", lambda it: clip(it / "a.ts", "-vf", "fps=25", "-c:v", "mpeg2video", "-q:v", "2",
             "-flags", "+ilme+ildct"), "mpeg2video", "mpegts", numbers=None, frames=(48, 52), last_ms=None,
             announced=None),
    Accepted("wmv2.asf", lambda it: clip(it / "a.asf", "-c:v", "wmv2", "-q:v", "2"), "wmv2", "asf",
             announced=None),
    Accepted("theora.ogv", lambda it: clip(it / "a.ogv", "-c:v", "libtheora", "-q:v", "9"), "theora", "ogg"),
]  # fmt: skip

PIXELS = [
    Accepted("hevc 10 bit.mkv", lambda it: clip(it / "a.mkv", "-c:v", "libx265", "-preset", "ultrafast",
             "-x265-params", "log-level=none:pools=none", "-crf", "10", "-pix_fmt", "yuv420p10le"), "hevc", "mkv"),
    Accepted("h264 10 bit 4:2:2.mp4", lambda it: clip(it / "a.mp4", *H264, "-pix_fmt", "yuv422p10le"), "h264", "mp4",
             announced=_COUNTED),
    Accepted("prores 10 bit.mov", lambda it: clip(it / "a.mov", "-c:v", "prores_ks"), "prores", "mov",
             announced=_COUNTED),
    Accepted("ffv1 16 bit rgb.mkv", lambda it: clip(it / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "gbrp16le"), "ffv1",
             "mkv"),
    Accepted("h264 grey.mp4", lambda it: clip(it / "a.mp4", *H264, "-pix_fmt", "gray"), "h264", "mp4",
             has_colours=False, announced=_COUNTED),
    Accepted("qtrle with alpha.mov", lambda it: clip(it / "a.mov", "-c:v", "qtrle", "-pix_fmt", "argb"), "qtrle",
             "mov", announced=_COUNTED),
    Accepted("raw bgr.avi", lambda it: clip(it / "a.avi", "-c:v", "rawvideo", "-pix_fmt", "bgr24"), "rawvideo", "avi"),
    Accepted("h264 95 x 63.mp4", lambda it: clip(it / "a.mp4", *H264, "-pix_fmt", "yuv444p", size_wh=(95, 63)),
             "h264", "mp4", size_wh=(95, 63), announced=_COUNTED),
    Accepted("vp9 95 x 63.webm", lambda it: clip(it / "a.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-b:v",
             "2M", "-pix_fmt", "yuv420p", size_wh=(95, 63)), "vp9", "webm", size_wh=(95, 63)),
    Accepted("ffv1 1 x 1.mkv", lambda it: clip(it / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0", size_wh=(1, 1)),
             "ffv1", "mkv", size_wh=(1, 1), numbers=None, frames=(FRAMES, FRAMES)),
    Accepted("mjpeg 1 x 1.avi", lambda it: clip(it / "a.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", size_wh=(1, 1)),
             "mjpeg", "avi", size_wh=(1, 1), numbers=None, frames=(FRAMES, FRAMES)),
    Accepted("h264 8192 x 16.mp4", lambda it: clip(it / "a.mp4", *H264, frames=3, size_wh=(8192, 16)), "h264", "mp4",
             size_wh=(8192, 16), numbers=EVERY[:3], last_ms=200, announced=(3, True)),
    Accepted("one frame.mp4", lambda it: clip(it / "a.mp4", *H264, frames=1), "h264", "mp4", numbers=[0], last_ms=0,
             announced=(1, True)),
    Accepted("one frame.avi", lambda it: clip(it / "a.avi", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p",
             frames=1), "mjpeg", "avi", numbers=[0], last_ms=0, announced=(1, False)),
    Accepted("size changes.ts", _two_sizes, "h264", "mpegts", announced=None,
             warns="10 frames differ in size"),
]  # fmt: skip

TURNED = [
    Accepted("turned 90.mp4", lambda it: with_matrix(it / "a.mp4", (0, 1, -1, 0), lambda image: np.rot90(image, 1)),
             "h264", "mp4", rotation=90, announced=_COUNTED),
    Accepted("turned 180.mp4", lambda it: with_matrix(it / "a.mp4", (-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
             "h264", "mp4", rotation=180, announced=_COUNTED),
    Accepted("turned 270.mp4", lambda it: with_matrix(it / "a.mp4", (0, -1, 1, 0), lambda image: np.rot90(image, 3)),
             "h264", "mp4", rotation=270, announced=_COUNTED),
    Accepted("mirrored.mp4", lambda it: with_matrix(it / "a.mp4", (-1, 0, 0, 1), lambda image: image[:, ::-1]),
             "h264", "mp4", announced=_COUNTED),
    Accepted("mirrored and turned.mp4", lambda it: with_matrix(it / "a.mp4", (0, 1, 1, 0), lambda image:
             image.swapaxes(0, 1)), "h264", "mp4", rotation=270, announced=_COUNTED),
    Accepted("turned 90.mov", lambda it: copy(with_matrix(it / "a.mp4", (0, 1, -1, 0), lambda image: np.rot90(image)),
             it / "a.mov"), "h264", "mov", rotation=90, announced=_COUNTED),
]  # fmt: skip

TIMES = [
    Accepted("variable rate.mp4", _variable_rate, "h264", "mp4", last_ms=3700, announced=_COUNTED),
    Accepted("variable rate.mkv", lambda it: copy(_variable_rate(it), it / "a.mkv"), "h264", "mkv", last_ms=3700),
    Accepted("edit list.mp4", _edit_list, "h264", "mp4", numbers=EVERY[8:], last_ms=1100, announced=(12, True)),
    Accepted("starts at 3 s.mp4", _late_start, "h264", "mp4", announced=_COUNTED),
    Accepted("no length.mkv", _no_length(*H264, "-f", "matroska"), "h264", "mkv", announced=_NOT_ANNOUNCED),
]  # fmt: skip

STREAMS = [
    Accepted("with sound.mp4", lambda it: clip(it / "a.mp4", *H264, "-c:a", "aac", inputs=_AUDIO), "h264", "mp4",
             announced=_COUNTED, streams={"video": 1, "audio": 1}),
    Accepted("with sound.mkv", lambda it: clip(it / "a.mkv", *H264, "-c:a", "libvorbis", inputs=_AUDIO), "h264", "mkv",
             streams={"video": 1, "audio": 1}),
    Accepted("cover picture first.mp4", _with_cover, "h264", "mp4", announced=_COUNTED,
             streams={"video": 1, "cover": 1}),
    Accepted("unflagged cover first.mp4", _with_unflagged_cover("mp4"), "h264", "mp4", announced=_COUNTED),
    Accepted("unflagged cover first.mkv", _with_unflagged_cover("mkv"), "h264", "mkv"),
    Accepted("with subtitles.mkv", _with_subtitles, "h264", "mkv", streams={"video": 1, "subtitle": 1}),
    Accepted("with time code.mov", _with_time_code, "h264", "mov", announced=_COUNTED,
             streams={"video": 1, "data": 1}),
]  # fmt: skip

DAMAGED = [
    Accepted("cut at 60 %, index first.mp4", lambda it: cut(_first_index(it / "a.mp4")), "h264", "mp4", numbers=None,
             frames=(6, 16), last_ms=None, announced=(FRAMES, False), warns="announced 20 frames"),
    Accepted("cut at 60 %.mkv", lambda it: cut(_short_gops(it / "a.mkv")), "h264", "mkv", numbers=None,
             frames=(6, 16), last_ms=None, warns="the file is cut off"),
    Accepted("cut at 60 %.ts", lambda it: cut(_short_gops(it / "a.ts")), "h264", "mpegts", numbers=None,
             frames=(6, 16), last_ms=None, announced=None),
    Accepted("cut at 60 %.avi", lambda it: cut(clip(it / "a.avi", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt",
             "yuvj420p", is_rough=True)), "mjpeg", "avi", numbers=None, frames=(6, 16), last_ms=None,
             warns="announced 20 frames"),
    Accepted("noise in the middle.mp4", lambda it: spoil(_first_index(it / "a.mp4"), size=1500), "h264", "mp4",
             numbers=None, frames=(8, FRAMES), last_ms=None, announced=_COUNTED, corrupt=True),
    Accepted("noise in the middle.mkv", lambda it: spoil(_short_gops(it / "a.mkv"), size=1500), "h264", "mkv",
             numbers=None, frames=(6, FRAMES), last_ms=None, corrupt=True),
    Accepted("noise in the middle.ts", lambda it: spoil(_short_gops(it / "a.ts"), size=1500), "h264", "mpegts",
             numbers=None, frames=(6, FRAMES), last_ms=None, announced=None, corrupt=True),
    Accepted("noise in the middle.avi", lambda it: spoil(clip(it / "a.avi", "-c:v", "mpeg4", "-q:v", "2", "-g", "4",
             is_rough=True), size=1500), "mpeg4", "avi", numbers=None, frames=(6, FRAMES), last_ms=None, corrupt=True),
]  # fmt: skip

VIDEOS = [*CONTAINERS, *PIXELS, *TURNED, *TIMES, *STREAMS, *DAMAGED]
LONG = [
    Accepted("mjpeg 8192 x 4320.avi", lambda it: clip(it / "a.avi", "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt",
             "yuvj420p", frames=2, size_wh=(8192, 4320)), "mjpeg", "avi", size_wh=(8192, 4320), numbers=(0, 1),
             last_ms=100, announced=(2, False)),
    Accepted("h264 7680 x 4320.mp4", lambda it: clip(it / "a.mp4", *H264, frames=2, size_wh=(7680, 4320)), "h264",
             "mp4", size_wh=(7680, 4320), numbers=(0, 1), last_ms=100, announced=(2, True)),
]  # fmt: skip
