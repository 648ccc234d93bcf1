"""Plugins for the sandbox's tests: one that measures, one that misbehaves on demand, some that are broken."""

import ctypes
import mmap
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from pydantic import field_validator

from forgesyte_sdk import Plugin, PluginUnavailable, Tool, ToolOptions, ToolOutput

MIB = 1 << 20
NEVER = threading.Event()


class Brightness(ToolOutput):
    mean: float
    size_wh: tuple[int, int]
    corner: tuple[int, int, int]

    def count(self):
        return 1

    def class_counts(self):
        return {"bright" if self.mean > 100 else "dark": 1}


class MeasureOptions(ToolOptions):
    channel: int = 0


class Measure(Tool[MeasureOptions, Brightness]):
    name = "measure"
    aliases = ("measure-old",)

    def prepare(self, job):
        self.job = job
        Path("prepared").write_text(f"{job.job_id} {job.width}x{job.height} {job.device} {job.scratch == Path.cwd()}")

    def process_frame(self, frame):
        assert not frame.image.flags.writeable
        corner = tuple(int(value) for value in frame.image[0, 0])
        channel = frame.image[..., self.options.channel]
        return Brightness(mean=float(channel.mean()), size_wh=frame.size_wh, corner=corner)

    def finalize(self):
        Path("finalized").touch()


class Index(ToolOutput):
    index: int


class Count(Tool[ToolOptions, Index]):
    name = "count"
    Options = ToolOptions

    def process_frame(self, frame):
        return Index(index=frame.index)


class Good(Plugin):
    name = "good"
    version = "1.0.0"
    tools = (Measure, Count)


class PickyOptions(ToolOptions):
    colour: str

    @field_validator("colour")
    @classmethod
    def known(cls, value):
        return {"red": "red", "blue": "blue"}[value]


class Pick(Tool[PickyOptions, Index]):
    name = "pick"

    def __init__(self, plugin, options):
        super().__init__(plugin, options)
        if options.colour == "blue":
            raise RuntimeError("blue is for other videos")

    def process_frame(self, frame):
        return Index(index=frame.index)


class Picky(Plugin):
    name = "picky"
    version = "1.0.0"
    tools = (Pick,)


class Anything(ToolOutput):
    value: object = None


class Heavy(Tool[ToolOptions, Anything]):
    name = "large"
    Options = ToolOptions

    def process_frame(self, frame):
        return Anything(value="x" * (256 * 1024))


class Large(Plugin):
    name = "large"
    version = "1.0.0"
    tools = (Heavy,)


class NotPicklableError(Exception):
    def __init__(self, lock):
        super().__init__("holds a lock")
        self.lock = lock


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


def raise_it(error):
    raise error


def leave_daemon(scratch: Path, *, name: str, closes: bool = True):
    """Double fork into a new session, where that is allowed: the classic way to escape from a parent."""
    if os.fork() == 0:
        with suppress(PermissionError):
            os.setsid()
        if os.fork() == 0:
            if closes:
                os.closerange(3, 4096)
            (scratch / name).write_text(str(os.getpid()))
            while True:
                NEVER.wait()
        os._exit(0)
    os.wait()
    while not (scratch / name).exists() or not (scratch / name).read_text():
        os.sched_yield()


def hide():
    """Leave a daemon whose environment no longer says where it comes from."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    ctypes.memset(start, 0, end - start)
    leave_daemon(Path(), name="hidden.pid")
    while True:
        NEVER.wait()


def family_and_segfault():
    leave_daemon(Path.cwd(), name="daemon-1.pid")
    leave_daemon(Path.cwd(), name="daemon-2.pid", closes=False)
    program = subprocess.Popen([sys.executable, "-ISc", "import time; time.sleep(600)"])
    Path("program.pid").write_text(str(program.pid))
    ctypes.string_at(0)


def family_and_hang():
    leave_daemon(Path.cwd(), name="daemon-1.pid", closes=False)
    ignore_sigterm()


def family_and_success():
    leave_daemon(Path.cwd(), name="daemon-1.pid", closes=False)
    return "left one behind"


def ignore_sigterm():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def loop():
    while True:
        pass


def regex_in_c():
    re.match(r"(a+)+$", "a" * 64 + "b")


def grow(step):
    kept = []
    while True:
        kept.append(np.ones(step, np.uint8))


def shared_memory():
    page = mmap.mmap(-1, 4096 * MIB)
    for at in range(0, 4096 * MIB, 4096):
        page[at] = 1


def forked_memory():
    # Only the sum is over the limit, none of the processes alone.
    for _ in range(6):
        if os.fork() == 0:
            kept = np.ones(100 * MIB, np.uint8)
            while kept is not None:
                NEVER.wait()
    while True:
        NEVER.wait()


def flood():
    line = "x" * 1023 + "\n"
    for _ in range(25 * 1024):
        sys.stdout.write(line)
        sys.stderr.write(line)
    sys.stdout.write("the last words\n")
    return "flooded"


def write_raw(data: bytes, *, then_exit: bool):
    for fd in range(3, 256):
        try:
            is_socket = str(Path(f"/proc/self/fd/{fd}").readlink()).startswith("socket:")
        except OSError:
            continue
        if is_socket:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
    if then_exit:
        os._exit(0)
    while True:
        NEVER.wait()


def close_everything():
    os.closerange(0, 4096)
    while True:
        NEVER.wait()


def stop_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


def threads():
    kept = []
    while True:
        kept.append(threading.Thread(target=NEVER.wait, daemon=True))
        kept[-1].start()


def environment():
    return {"environ": dict(os.environ), "cwd": str(Path.cwd()), "argv": sys.argv}


def descriptors():
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()).partition(":")[0])
        except FileNotFoundError:  # the listing's own
            continue
    return sorted(found)


def cv2_wants_too_much():
    small = np.zeros((20_000, 20_000), np.uint8)[:1, :1]
    return cv2.resize(small, (40_000, 40_000)).shape


def wrapped_memory_error():
    try:
        np.zeros(1024**3)
    except MemoryError as error:
        raise ValueError("could not make the buffer") from error


def recursive_value():
    loop = []
    loop.append(loop)
    return loop


def write_file(name, size=MIB):
    with Path(name).open("wb") as file:
        file.write(b"x" * size)


def write_many(size):
    """Write small files until the run is ended."""
    for number in range(10_000):
        write_file(str(number), size)
        NEVER.wait(0.005)


def write_unnamed():
    for _ in range(400):
        file_fd = os.open(".", os.O_TMPFILE | os.O_RDWR)
        os.write(file_fd, b"x" * MIB)
        NEVER.wait(0.005)
    NEVER.wait()


def write_one_file():
    with Path("one").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * MIB)


def write_and_remove():
    for _ in range(100):
        write_file("one")
        Path("one").unlink()


def leave_shared_memory():
    """Leave a file in /dev/shm, as a SharedMemory does that no process unlinks; it is held open for a while."""
    path = Path("/dev/shm", f"sandbox-left-{os.getpid()}")
    with path.open("wb") as file:
        file.write(b"x")
        file.flush()
        NEVER.wait(0.5)
    return str(path)


FAULTS = {
    "leaves-shared-memory": leave_shared_memory,
    "many-mib": lambda: write_many(MIB),
    "many-files": lambda: write_many(0),
    "unnamed-mib": write_unnamed,
    "one-file": write_one_file,
    "writes-and-removes": write_and_remove,
    "none": lambda: None,
    "raise": lambda: raise_it(ValueError("bad frame: naïve text, 50 % of it")),
    "system-exit": lambda: sys.exit(3),
    "keyboard-interrupt": lambda: raise_it(KeyboardInterrupt("stop that")),
    "not-picklable": lambda: raise_it(NotPicklableError(threading.Lock())),
    "mute": lambda: raise_it(MuteError()),
    "surrogate": lambda: raise_it(ValueError("lone \udc80 surrogate")),
    "exit-0": lambda: os._exit(0),
    "exit-3": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "loop": loop,
    "regex": regex_in_c,
    "ignore-sigterm": ignore_sigterm,
    "sleep-in-c": lambda: ctypes.CDLL(None).sleep(600),
    "stop-itself": stop_itself,
    "8-gib": lambda: np.zeros(1024**3).sum(),
    "64-mib-steps": lambda: grow(64 * MIB),
    "cv2-memory": cv2_wants_too_much,
    "wrapped-memory": wrapped_memory_error,
    "shared-memory": shared_memory,
    "forked-memory": forked_memory,
    "threads": threads,
    "torch-words": lambda: raise_it(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 GB")),
    "family-segfault": family_and_segfault,
    "family-hang": family_and_hang,
    "family-success": family_and_success,
    "hide": hide,
    "flood": flood,
    "large-row": lambda: "x" * (2 * MIB),
    "huge-row": lambda: "x" * (200 * MIB),
    "garbage": lambda: write_raw(b"\xff" * 64, then_exit=False),
    "garbage-kind": lambda: write_raw(b"\0\0\0\x05Zabcd", then_exit=False),
    "garbage-row": lambda: write_raw(b"\0\0\0\x06Rabc\n[", then_exit=False),
    "loaded-again": lambda: write_raw(b"\0\0\0\x03L{}", then_exit=False),
    "half-message": lambda: write_raw(b"\0\0\1\0R{", then_exit=True),
    "close-everything": close_everything,
    "environment": environment,
    "descriptors": descriptors,
    "nan": lambda: [float("nan"), np.float32(1.5), float("inf")],
    "bytes": lambda: b"abc",
    "recursive": recursive_value,
}


class FaultOptions(ToolOptions):
    fault: str = "none"
    at: int = 2


class Misbehave(Tool[FaultOptions, Anything]):
    name = "misbehave"

    def prepare(self, job):
        if self.options.at == -1:
            FAULTS[self.options.fault]()

    def process_frame(self, frame):
        if frame.index == self.options.at:
            return Anything(value=FAULTS[self.options.fault]())
        return Anything(value=frame.index)

    def finalize(self):
        if self.options.at == -2:
            FAULTS[self.options.fault]()


class Faulty(Plugin):
    name = "faulty"
    version = "1.0.0"
    tools = (Misbehave,)


class FailsToConstruct(Good):
    def __init__(self):
        raise ValueError("no such colour: purple")


class FailsToValidate(Good):
    def validate(self):
        raise RuntimeError("the environment is upside down")


class DiesInValidate(Good):
    def validate(self):
        os.abort()


class Lacks(Good):
    def validate(self):
        raise PluginUnavailable("the model weights.bin is missing; download it into /models")


class LacksAtLoad(Good):
    def load(self, device):
        raise PluginUnavailable("no GPU: CUDA was not found")


class FailsToLoad(Good):
    def load(self, device):
        raise RuntimeError(f"cannot load on {device}")


class HangsAtLoad(Good):
    def load(self, device):
        while True:
            pass


class LoadsMuch(Good):
    """Uses more memory while it loads than a job may, and keeps it."""

    def load(self, device):
        self.kept = np.ones(300 * MIB, np.uint8)


class LeavesMuch(Good):
    """Runs out of memory while it is validated."""

    def validate(self):
        np.zeros(1024**3).sum()


NotAPlugin = dict
