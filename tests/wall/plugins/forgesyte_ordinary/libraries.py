"""A plugin that uses what is installed: threads, NumPy, OpenCV, PyAV, files, a database, what the machine is."""

import ctypes.util
import hashlib
import locale
import mmap
import os
import platform
import shutil
import sqlite3
import tempfile
import threading
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from forgesyte_sdk import Plugin

from .tools import tool_of


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def threads(frame):
    """A pool of threads, and threads that add under a lock."""
    with ThreadPoolExecutor(4) as workers:
        sums = list(workers.map(lambda row: int(row.sum(dtype=np.int64)), frame.image[::40]))
    found, guard = [], threading.Lock()

    def add(number):
        with guard:
            found.append(number)

    workers = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sums, sorted(found)


def numpy(frame):
    """Linear algebra, Fourier transforms, random numbers, memory maps."""
    grey = frame.image.mean(axis=2)[:64, :64]
    u, s, vt = np.linalg.svd(grey)
    random = np.random.default_rng(frame.index).normal(size=(32, 32))
    stored = np.memmap("stored.bin", np.float64, "w+", shape=(32, 32))
    stored[:] = random
    stored.flush()
    again = np.fromfile("stored.bin")
    return [
        digest(part)
        for part in (u, s, vt, np.fft.fft2(grey), random @ random, again, np.random.default_rng(1).bytes(8))
    ]


def files(frame):
    """Temporary files of all kinds, folders, renames, links, a mapped file."""
    picture = frame.image.tobytes()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one"), Path(folder, "two")
        one.mkdir()
        two.mkdir()
        (one / "picture").write_bytes(picture)
        (one / "picture").rename(one / "renamed")
        shutil.move(one / "renamed", two / "moved")
        (two / "link").symlink_to("moved")
        found.append([sorted(path.name for path in two.iterdir()), (two / "link").stat().st_size])
        shutil.copytree(two, one / "copy")
        found.append((one / "copy" / "moved").read_bytes() == picture)
        with (two / "moved").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            mapped[:4] = b"abcd"
            found.append(hashlib.sha256(mapped).hexdigest())
        with (two / "moved").open("r+b") as file:
            file.truncate(100)
        found.append((two / "moved").stat().st_size)
    with tempfile.TemporaryFile() as nameless, tempfile.NamedTemporaryFile(suffix=".bin") as named:
        for file in (nameless, named):
            file.write(picture)
            file.seek(-4, os.SEEK_END)
            found.append(file.read().hex())
    return found, Path(folder).exists(), Path(folder).is_relative_to(Path.cwd()), Path.home() == Path.cwd()


def database(frame):
    """A database with locks and a journal."""
    with sqlite3.connect("facts.db") as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table if not exists fact (frame integer, mean real)")
        database.execute("insert into fact values (?, ?)", (frame.index, float(frame.image.mean())))
        return database.execute("select count(*), sum(mean) from fact").fetchall()


def opencv(frame):
    """Filters with threads, contours, codecs, a video that is written and read."""
    cv2.setNumThreads(2)
    small = cv2.resize(frame.image, (160, 96), interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.GaussianBlur(small, (5, 5), 1.5), 50, 150)
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    cv2.imwrite("small.png", small)
    _, jpeg = cv2.imencode(".jpg", small)
    writer = cv2.VideoWriter("small.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 96))
    for shift in range(5):
        writer.write(np.roll(small, shift, axis=1))
    writer.release()
    video = cv2.VideoCapture("small.avi")
    pictures = [picture for _ in range(5) for is_there, picture in [video.read()] if is_there]
    video.release()
    return len(contours), digest(edges), digest(jpeg), digest(cv2.imread("small.png")), len(pictures), digest(pictures)


def pyav(frame):
    """A video with sound encoded and decoded by several threads.

    MPEG-4, because libx264 makes another file of the same pictures once in a while: 35 times of 3600 on a busy machine,
    with one thread and without any wall. This encoder did not once in as many.
    """
    small = cv2.resize(frame.image, (160, 96), interpolation=cv2.INTER_AREA)
    with av.open("made.mp4", "w") as container:
        video, sound = container.add_stream("mpeg4", rate=10), container.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt, video.thread_count = 160, 96, "yuv420p", 2
        for shift in range(6):
            picture = av.VideoFrame.from_ndarray(np.roll(small, shift, axis=1), format="bgr24")
            container.mux(video.encode(picture))
        tone = np.sin(np.arange(1024, dtype=np.float32) / 9)[None]
        samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        samples.sample_rate, samples.time_base, samples.pts = 8000, Fraction(1, 8000), 0
        container.mux(sound.encode(samples))
        for stream in (video, sound):
            container.mux(stream.encode())
    with av.open("made.mp4") as container:
        container.streams.video[0].thread_type = "AUTO"
        pictures = [picture.to_ndarray(format="bgr24") for picture in container.decode(video=0)]
    return len(pictures), digest(pictures)


def machine(_frame):
    """What the machine, its clock zones, its fonts of words and its libraries are."""
    berlin = datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    limits = [os.sysconf(name) for name in ("SC_PAGE_SIZE", "SC_NPROCESSORS_ONLN", "SC_PHYS_PAGES")]
    return (
        os.cpu_count(),
        len(os.sched_getaffinity(0)),
        limits,
        platform.machine(),
        platform.libc_ver(),
        str(berlin.utcoffset()),
        ctypes.util.find_library("c"),
        locale.localeconv()["decimal_point"],
        len(os.urandom(8)),
        Path("/proc/self/comm").read_text(),
        Path("/proc/meminfo").read_text().startswith("MemTotal"),
        os.environ.get("USER"),
    )


class Libraries(Plugin):
    """Uses what is installed."""

    name = "libraries"
    version = "0.1.0"
    tools = tuple(map(tool_of, (threads, numpy, files, database, opencv, pyav, machine)))
