import asyncio
import os
import socket
from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.client.media import CHUNK_BYTES, open_media

PNG = b"\x89PNG\r\n\x1a\n...."
MP4 = b"....ftypisom"


async def read(where: object, **options) -> tuple[bytes, int | None]:
    async with open_media(str(where), **options) as media:
        return b"".join([chunk async for chunk in media.chunks()]), media.size_bytes


@pytest.mark.parametrize(
    ("name", "head", "kind", "media_type"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.JPG", b"\xff\xd8\xff\xe0........", "image", "image/jpeg"),
        ("a.tif", b"II*\x00........", "image", "image/tiff"),
        ("a.webp", b"RIFF....WEBP", "image", "image/webp"),
        ("no-ending", PNG, "image", "image/png"),
        ("scan.dat", b"MM\x00*........", "image", "image/tiff"),
        ("phone.heic", b"....ftypheic", "image", "application/octet-stream"),
        ("a.avi", b"RIFF....AVI ", "video", "video/x-msvideo"),
        ("sound.wav", b"RIFF....WAVE", "video", "application/octet-stream"),
        ("a.mp4", MP4, "video", "video/mp4"),
        ("a.unknown", MP4, "video", "application/octet-stream"),
        ("image-named-video.mp4", PNG, "image", "image/png"),
        ("jpeg-named.png", b"\xff\xd8\xff\xe0........", "image", "image/jpeg"),
        ("video-named-image.png", MP4, "video", "application/octet-stream"),
        ("row.mjpeg", b"\xff\xd8\xff\xe0........", "video", "application/octet-stream"),
        ("row.MJPG", b"\xff\xd8\xff\xe0........", "video", "application/octet-stream"),
        ("no-row.mjpeg", PNG, "image", "image/png"),
        ("no-media.png", b"only a text.", "image", "application/octet-stream"),
        ("no-media.txt", b"only a text.", "video", "application/octet-stream"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_first_bytes_choose_the_route_and_not_the_name(tmp_path, name, head, kind, media_type):
    file = tmp_path / name
    file.write_bytes(head)

    async with open_media(str(file)) as media:
        assert (media.kind, media.media_type) == (kind, media_type)


@pytest.mark.parametrize("kind", ["video", "image"])
@pytest.mark.parametrize("head", [PNG, MP4], ids=["image", "video"])
async def test_what_the_user_says_chooses_before_the_first_bytes(tmp_path, kind, head):
    file = tmp_path / "a"
    file.write_bytes(head)

    async with open_media(str(file), kind=kind) as media:
        assert media.kind == kind


@pytest.mark.parametrize("size", [1, 12, 13, 2 * CHUNK_BYTES + 1])
async def test_a_file_is_read_whole(tmp_path, size):
    data = os.urandom(size)
    file = tmp_path / "a.mp4"
    file.write_bytes(data)

    assert await read(file) == (data, size)


async def test_a_file_that_grows_is_sent_as_long_as_it_was_and_one_that_shrinks_is_refused(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x" * 1000)

    async with open_media(str(file)) as media:
        file.write_bytes(b"x" * 2000)
        assert len(b"".join([chunk async for chunk in media.chunks()])) == 1000
    async with open_media(str(file)) as media:
        os.truncate(file, 500)
        with pytest.raises(ForgeSyteError, match="became shorter"):
            [chunk async for chunk in media.chunks()]


@pytest.mark.parametrize("way", ["fifo", "descriptor", "standard input", "socket"])
async def test_a_stream_is_read_to_its_end_however_slowly_it_comes(tmp_path, monkeypatch, way):
    data = MP4 + os.urandom(300_000)
    if way == "socket":
        ours, theirs = socket.socketpair()
        reader, writer = ours.detach(), theirs.detach()
    elif way == "fifo":
        os.mkfifo(tmp_path / "fifo")
        reader, writer = None, None
    else:
        reader, writer = os.pipe()
    where = {"fifo": str(tmp_path / "fifo"), "descriptor": f"/dev/fd/{reader}"}.get(way, "-")
    if where == "-":
        monkeypatch.setattr(os, "dup", lambda _fd, dup=os.dup: dup(reader))  # pytest has its own standard input
    waited: list[str] = []

    def write() -> None:
        fd = os.open(where, os.O_WRONLY) if writer is None else writer
        os.write(fd, data[:3])
        for at in range(3, len(data), 50_000):
            os.write(fd, data[at : at + 50_000])
        os.close(fd)

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read(where, on_wait=waited.append))
        await asyncio.to_thread(write)

    assert reading.result() == (data, None)
    assert len(waited) == 1
    if reader is not None:
        os.close(reader)


async def test_waiting_for_a_fifo_without_a_writer_ends_when_it_is_cancelled(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    waiting = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read(tmp_path / "fifo", on_wait=lambda _: waiting.set()))
        await waiting.wait()
        reading.cancel()

    assert reading.cancelled()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Path.mkdir, "is a folder; name one video or image"),
        (Path.touch, "is empty"),
        (lambda path: path.symlink_to("/dev/zero"), "is a terminal or another device"),
        (a_socket, "cannot be read"),
        (lambda _path: None, "does not exist"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
    ],
    ids=["folder", "empty", "device", "socket", "missing", "loop"],
)
async def test_what_is_no_media_is_refused_with_the_reason(tmp_path, make, why):
    make(tmp_path / "a.mp4")

    with pytest.raises(ForgeSyteError, match=f"a.mp4 {why}") as caught:
        await read(tmp_path / "a.mp4")

    assert caught.value.code is Code.REQUEST_INVALID


async def test_a_terminal_as_standard_input_is_refused_with_the_remedy(monkeypatch):
    ours, terminal = os.openpty()
    monkeypatch.setattr(os, "dup", lambda _fd, dup=os.dup: dup(terminal))

    with pytest.raises(ForgeSyteError, match=r"standard input is a terminal.*forgesyte run -"):
        await read("-")

    os.close(ours)
    os.close(terminal)


@pytest.mark.parametrize("name", ["two\nlines.mp4", os.fsdecode(b"caf\xe9.mp4"), "\x1b[31mred.mp4"], ids=ascii)
async def test_a_name_that_cannot_be_printed_is_shown_with_marks(tmp_path, name):
    (tmp_path / name).write_bytes(MP4)

    async with open_media(str(tmp_path / name)) as media:
        assert media.name.isprintable()
        assert media.name.encode()
        assert media.name.endswith(".mp4")
