"""Faults that say too much."""

import sys

from forgesyte_sdk import PluginLimits

from .making import PATIENT, faulty

MIB = 1 << 20


def flood(stream):
    line = "x" * 1023 + "\n"
    for _ in range(200 * 1024):
        stream.write(line)
    stream.write("the last words\n")
    stream.flush()
    return "flooded"


@faulty("floods-stdout", limits=PATIENT)
def floods_stdout():
    return flood(sys.stdout)


@faulty("floods-stderr", limits=PATIENT)
def floods_stderr():
    return flood(sys.stderr)


@faulty("gives-200-mb", limits=PluginLimits(frame_timeout_s=60, memory_bytes=2048 * MIB))
def gives_200_mb():
    return "x" * (200 * MIB)


@faulty("gives-many-small", limits=PATIENT)
def gives_many_small():
    """Under no limit of one value, over the limit of the row."""
    return [{"at": index} for index in range(150_000)]


@faulty("warns-without-end", step="every-frame", limits=PATIENT)
def warns_without_end():
    """Each value is replaced with a warning that names a long path."""
    return {f"{'k' * 20_000}{index}": float("nan") for index in range(20)}
