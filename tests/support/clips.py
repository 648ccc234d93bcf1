"""Small clips with a known truth, made with PyAV: of many kinds, in other files, with other edit lists."""

import struct
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_MS = Fraction(1, 1000)


def brightness_of(index: int) -> int:
    """The grey value that frame `index` of a clip is filled with (before coding)."""
    return 40 + 10 * (index % 20)


def plain(index: int, size_wh: tuple[int, int]) -> Picture:
    """Draw a frame: all of it has its grey."""
    return np.full((size_wh[1], size_wh[0], 3), brightness_of(index), np.uint8)


def dark_above(index: int, size_wh: tuple[int, int]) -> Picture:
    """Draw a frame whose upper half is darker, so that turns show."""
    picture = plain(index, size_wh)
    picture[: size_wh[1] // 2] //= 2
    return picture


def make_clip(path: Path, *, frames: int = 60, size_wh: tuple[int, int] = (160, 120), fps: int = 25) -> Path:
    """Write an H.264 clip whose frames are filled with brightness_of(index)."""
    options = {"preset": "ultrafast", "crf": "1"}
    return write_clip(path, frames=frames, size_wh=size_wh, fps=fps, options=options)


def write_clip(
    path: Path,
    codec: str = "libx264",
    *,
    frames: int = 12,
    size_wh: tuple[int, int] = (160, 120),
    draw: Callable[[int, tuple[int, int]], Picture] = plain,
    pix_fmt: str = "yuv420p",
    fps: int = 25,
    times: Sequence[int] | None = None,
    options: Mapping[str, str] | None = None,
    layout: str | None = None,
    turn: int = 0,
    matrix: Sequence[float] | None = None,
) -> Path:
    """Write a clip of any kind; the ending of the path says in which container.

    Args:
        path: of the file.
        codec: FFmpeg's encoder.
        frames: how many.
        size_wh: their width and height.
        draw: makes the picture of a frame.
        pix_fmt: as what it is encoded.
        fps: the rate, where it does not vary.
        times: when each frame is shown, in milliseconds, where the rate varies.
        options: of the encoder.
        layout: FFmpeg's movflags for an MP4.
        turn: by how many degrees a player turns the pictures.
        matrix: a, b, c, d of what a player does with them otherwise.
    """
    with av.open(str(path), "w", options={"movflags": layout} if layout else {}) as container:
        video: Any = container.add_stream(codec, rate=fps, options=dict(options or {}))
        video.width, video.height, video.pix_fmt = *size_wh, pix_fmt
        if times is not None:
            video.codec_context.time_base = _MS
        if turn:
            video.set_display_rotation(turn)
        if matrix is not None:
            a, b, c, d = (round(number * 65536) for number in matrix)
            video.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(index, size_wh), format="bgr24")
            if times is not None:
                frame.pts, frame.time_base = times[index], _MS
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def rewrap(source: Path, target: Path, *, skip: int = 0, video_copies: int = 1) -> Path:
    """Write the same packets into another file; the first `skip` lie before time 0, and an edit list hides them."""
    with av.open(str(source)) as given, av.open(str(target), "w") as container:
        origin = given.streams.video[0]
        streams = [container.add_stream_from_template(origin) for _ in range(video_copies)]
        for packet in given.demux(origin):
            if packet.dts is None or packet.pts is None:
                continue
            step = (packet.duration or 0) * skip
            packet.pts, packet.dts = packet.pts - step, packet.dts - step
            for stream in streams:
                packet.stream = stream
                container.mux(packet)
    return target


def with_edits(source: Path, target: Path, *edits: tuple[int, int, int]) -> Path:
    """Write the same MP4 with another edit list.

    Args:
        source: one that has an edit list, and its index at the end.
        target: path of the new file.
        edits: of each what it lasts, in ms; where it begins, in ticks of the track; its speed.
    """
    content = source.read_bytes()
    at = content.index(b"elst") - 4
    size = int.from_bytes(content[at : at + 4])
    entries = b"".join(struct.pack(">iihh", *edit, 0) for edit in edits)
    table = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    changed = bytearray(content[:at] + table + content[at + size :])
    assert content.index(b"moov") > content.index(b"mdat"), "nothing that the index points to is moved"
    for folder in (b"edts", b"trak", b"moov"):
        begin = changed.rindex(folder, 0, at) - 4
        changed[begin : begin + 4] = (int.from_bytes(changed[begin : begin + 4]) + len(table) - size).to_bytes(4)
    target.write_bytes(changed)
    return target
