"""Faults that do not come back, and one that is only slow."""

import ctypes
import os
import re
import signal
import time

from .making import faulty

REAL = time.monotonic


def hour_ahead():
    return REAL() + 3600


def spin():
    while True:
        pass


@faulty("loops")
def loops():
    spin()


@faulty("sleeps-in-c")
def sleeps_in_c():
    ctypes.PyDLL(None).sleep(600)  # PyDLL keeps the interpreter's lock


@faulty("regex-catastrophe")
def regex_catastrophe():
    re.match(r"(a+)+$", "a" * 64 + "b")


@faulty("ignores-sigterm")
def ignores_sigterm():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    spin()


@faulty("stops-itself")
def stops_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


@faulty("turns-the-clock-and-hangs", step="every-frame")
def turns_the_clock_and_hangs():
    """What clock-freezing libraries do: what the process says of its own time is worth nothing then."""
    if time.monotonic is hour_ahead:
        spin()
    time.monotonic = hour_ahead
    time.monotonic_ns = lambda: int(hour_ahead() * 1e9)
    return "turned"


@faulty("slow-within-limit")
def slow_within_limit():
    time.sleep(0.4)  # noqa: TID251 - the fault itself
    return "slow"
