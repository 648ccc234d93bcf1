"""Decoding one thread ahead of the tools, within a bound of frames and of bytes.

The decoder releases the GIL, so it works while a tool computes or waits. One picture may always wait, however large:
otherwise neither side could move.
"""

import threading
from collections import deque
from collections.abc import Iterator

from forgesyte_sandbox.shared.heartbeat import Lane, Step, StepMarker
from forgesyte_sandbox.shared.limits import Limits

from .source import Picture, Source

_LARGE_PIXELS = 1920 * 1080


class DecodeAhead:
    """Runs a Source in its own thread; `pictures()` is called once, in the program's thread."""

    def __init__(self, source: Source, heartbeat: StepMarker, limits: Limits) -> None:
        self._source = source
        self._heartbeat = heartbeat
        self._limits = limits
        self._waiting: deque[Picture] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._is_over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="decode", daemon=True)

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in order; raise what the decoder raised, after the pictures before it.

        Raises:
            RuntimeError: the thread could not be started (no memory for its stack).
        """
        self._thread.start()
        while (picture := self._take()) is not None:
            yield picture
        self._thread.join()  # a warm sandbox has no threads between its jobs
        if self._error is not None:
            raise self._error

    def _take(self) -> Picture | None:
        with self._changed:
            while not self._waiting and not self._is_over:
                self._changed.wait()
            if not self._waiting:
                return None
            picture = self._waiting.popleft()
            self._waiting_bytes -= picture.image.nbytes
            self._changed.notify_all()
            return picture

    def _work(self) -> None:
        try:
            self._heartbeat.enter(Lane.DECODER, Step.DECODE, 0)
            for picture in self._source.pictures():
                self._put(picture)
                self._heartbeat.enter(Lane.DECODER, Step.DECODE, self._source.decoded)
        except BaseException as error:  # noqa: BLE001 - border: sandbox child; raised again in the program's thread
            self._error = error
        self._heartbeat.enter(Lane.DECODER, Step.IDLE)
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _put(self, picture: Picture) -> None:
        with self._changed:
            if self._is_full(picture):
                self._heartbeat.enter(Lane.DECODER, Step.IDLE, picture.index)
            while self._is_full(picture):
                self._changed.wait()
            self._waiting.append(picture)
            self._waiting_bytes += picture.image.nbytes
            self._changed.notify_all()

    def _is_full(self, picture: Picture) -> bool:
        height, width = picture.image.shape[:2]
        is_large = width * height >= _LARGE_PIXELS
        frames = self._limits.decode_ahead_large_frames if is_large else self._limits.decode_ahead_frames
        if not self._waiting:
            return False
        return (
            len(self._waiting) >= frames or self._waiting_bytes + picture.image.nbytes > self._limits.decode_ahead_bytes
        )
