"""A page of memory in which the child notes what it is doing and since when, readable while the child hangs.

Two lanes, because tools and decoder work at the same time. Rejected: messages on the pipe (a child that blocks in a
write, or holds the GIL in C, sends none). The parent reads with pread and never maps the page: a child that truncates
the file would otherwise kill the parent with SIGBUS. A child can lie here, so the whole job has a limit too.
"""

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

_LANE = struct.Struct("<QQqq")
_LANE_BYTES = 64
_WATCHED_AT = 128
_PAGE_BYTES = 4096
_TORN_RETRIES = 5


class Step(IntEnum):
    """What a lane is doing. IDLE and WRITE have no limit of their own."""

    IDLE = 0
    LOAD = 1
    PREPARE = 2
    FRAME = 3
    DECODE = 4
    FINALIZE = 5
    WRITE = 6
    WAIT = 7
    """The tools wait for a decoded frame."""
    PROBE = 8
    BEGIN = 9
    """A warm child was sent a job and has not taken it yet."""


class Lane(IntEnum):
    """Which half of the child is doing it."""

    TOOLS = 0
    DECODER = 1


@dataclass(frozen=True, slots=True)
class Beat:
    """One lane's state: step, monotonic ns of its start, 0-based frame (None before the first)."""

    step: Step
    started_ns: int
    frame: int | None


class HeartbeatPage:
    """The parent's side: makes the page, shares its descriptor, reads it."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("forgesyte-heartbeat", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, _PAGE_BYTES)
        # The child can neither hide memory in it nor cut it off.
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        self._last = {Lane.TOOLS: Beat(Step.LOAD, time.monotonic_ns(), None), Lane.DECODER: Beat(Step.IDLE, 0, None)}
        for lane, beat in self._last.items():
            os.pwrite(self.fd, _LANE.pack(0, beat.step, beat.started_ns, -1), lane * _LANE_BYTES)

    def read(self, lane: Lane) -> Beat:
        """Return the lane's state; the last known one while the child is writing it or has spoiled the page."""
        for _ in range(_TORN_RETRIES):
            raw = os.pread(self.fd, _LANE.size, lane * _LANE_BYTES)
            if len(raw) < _LANE.size:
                break
            before, step, started_ns, frame = _LANE.unpack(raw)
            again = os.pread(self.fd, 8, lane * _LANE_BYTES)
            if before % 2 == 0 and raw[:8] == again and step in Step:
                self._last[lane] = Beat(Step(step), started_ns, frame if frame >= 0 else None)
                break
        return self._last[lane]

    def begin_job(self) -> None:
        """Mark that a job is sent now; call it only while the child waits for one and writes nothing itself."""
        self._last = {lane: Beat(Step.IDLE, 0, None) for lane in Lane}
        self._last[Lane.TOOLS] = Beat(Step.BEGIN, time.monotonic_ns(), None)
        for lane, beat in self._last.items():
            os.pwrite(self.fd, _LANE.pack(0, beat.step, beat.started_ns, -1), lane * _LANE_BYTES)

    def set_watched(self, is_watched: bool) -> None:
        """Say whether the job is watched; nothing else on this page goes from the parent to the child."""
        os.pwrite(self.fd, bytes([is_watched]), _WATCHED_AT)

    @property
    def is_job_taken(self) -> bool:
        """Whether the child has written anything since begin_job()."""
        return int.from_bytes(os.pread(self.fd, 8, Lane.TOOLS * _LANE_BYTES), "little") != 0

    def close(self) -> None:
        """Close the page."""
        os.close(self.fd)


class StepMarker:
    """The child's side. Each lane has one writer; no lock."""

    def __init__(self, fd: int) -> None:
        self._page = mmap.mmap(fd, _PAGE_BYTES)
        self._sequence = [0, 0]
        self._beats = [Beat(Step.LOAD, time.monotonic_ns(), None), Beat(Step.IDLE, 0, None)]

    @property
    def frame(self) -> int | None:
        """The frame the tools are at."""
        return self._beats[Lane.TOOLS].frame

    @property
    def is_watched(self) -> bool:
        """Whether the job is watched, as the parent last said."""
        return self._page[_WATCHED_AT] != 0

    def enter(self, lane: Lane, step: Step, frame: int | None = None) -> None:
        """Note that `lane` begins `step` now, which restarts its time limit."""
        self._write(lane, Beat(step, time.monotonic_ns(), frame))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark the tools' lane as blocked in a write; afterwards the step before starts again from zero."""
        before = self._beats[Lane.TOOLS]
        self.enter(Lane.TOOLS, Step.WRITE, before.frame)
        try:
            yield
        finally:
            self.enter(Lane.TOOLS, before.step, before.frame)

    def _write(self, lane: Lane, beat: Beat) -> None:
        self._beats[lane] = beat
        sequence = self._sequence[lane] + 2
        self._sequence[lane] = sequence
        at = lane * _LANE_BYTES
        frame = -1 if beat.frame is None else beat.frame
        self._page[at : at + 8] = (sequence - 1).to_bytes(8, "little")
        _LANE.pack_into(self._page, at, sequence - 1, beat.step, beat.started_ns, frame)
        self._page[at : at + 8] = sequence.to_bytes(8, "little")
