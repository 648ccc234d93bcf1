"""Faults that change what the process stands on: folders, environment, signals, the interpreter, libraries."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import orjson

from .making import FILES, PATIENT, faulty


@faulty("writes-outside")
def writes_outside():
    """Beside its scratch folder, in the folder for temporary files and at home."""
    for folder in (Path.cwd().parent, Path("/tmp")):
        (folder / FILES).write_text("left by a plugin")
    return "wrote"


@faulty("removes-its-scratch")
def removes_its_scratch():
    shutil.rmtree(Path.cwd())
    return "removed"


@faulty("changes-cwd")
def changes_cwd():
    os.chdir("/")
    return "moved"


@faulty("changes-environment")
def changes_environment():
    os.environ.clear()
    os.environ["PYTHONPATH"] = "/nowhere"
    return "changed"


@faulty("changes-signal-handlers")
def changes_signal_handlers():
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not None:
            signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    return "changed"


@faulty("lets-an-alarm-ring")
def lets_an_alarm_ring():
    """The default answer to SIGALRM is death."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True:
        pass


@faulty("raises-recursion-limit", limits=PATIENT)
def raises_recursion_limit():
    """Python frames live on the heap: without the limit it is memory that ends."""
    sys.setrecursionlimit(2**31 - 1)

    def again():
        again()

    again()


@faulty("lowers-recursion-limit")
def lowers_recursion_limit():
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 1)
    return "lowered"


@faulty("patches-json")
def patches_json():
    json.dumps = json.loads = lambda *_, **__: "patched"
    return "patched"


@faulty("patches-orjson")
def patches_orjson():
    """The library that writes the rows, in the plugin's own process."""
    orjson.dumps = lambda *_, **__: b"[]"
    return "patched"


@faulty("exits-by-atexit")
def exits_by_atexit():
    """What hangs at the interpreter's exit must not be waited for."""
    import atexit

    atexit.register(lambda: signal.pause())
    return "registered"
