"""Faults that end the process without a word."""

import ctypes
import os
import signal

from .making import faulty


@faulty("exits-0")
def exits_0():
    os._exit(0)


@faulty("exits-3")
def exits_3():
    os._exit(3)


@faulty("segfaults")
def segfaults():
    ctypes.string_at(0)


@faulty("aborts")
def aborts():
    os.abort()


@faulty("kills-itself")
def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)
