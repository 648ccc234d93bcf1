"""Keeps the first and the last bytes of an upload in a scratch file while it streams into the store.

That is where containers have their headers and indexes, so probing them costs the same for any size. The file is as
long as the upload and sparse in between, so offsets are right. Rejected: reading both ends back from the store (another
round trip while people wait), and keeping the last bytes in memory (8 MiB for every upload in progress).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from forgesyte_chassis.disk_watch import scratch_unwritable
from forgesyte_chassis.store.blobs import BlobMissing, Store

EDGE_BYTES = 8 * 1024 * 1024
"""How many bytes are kept of each end."""

_WRITE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SampledFile:
    """What was kept: a file of `size_bytes`, complete except for `holes` (start, end), which read as zeros."""

    path: Path
    size_bytes: int
    holes: tuple[tuple[int, int], ...]


class Sample:
    """Keeps both ends of one upload in files in `folder`, which the caller removes."""

    def __init__(self, folder: Path, *, edge_bytes: int = EDGE_BYTES) -> None:
        self._path = folder / "input"
        self._ring = folder / "tail"
        self._edge = edge_bytes
        self._waiting = bytearray()
        self._kept = 0

    async def copying(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Pass the chunks on, and keep what belongs to the sample.

        Raises:
            ForgeSyteError: STORAGE_FULL when the scratch folder is full.
        """
        async for chunk in chunks:
            self._waiting += chunk
            if len(self._waiting) >= _WRITE_BYTES:
                await self._flush()
            yield chunk

    async def finish(self) -> SampledFile:
        """Assemble the file; called once, when all chunks have passed.

        Raises:
            ForgeSyteError: STORAGE_FULL when the scratch folder is full.
        """
        await self._flush()
        try:
            return await asyncio.to_thread(self._join)
        except OSError as error:
            raise scratch_unwritable("the upload cannot be probed", error) from error

    async def _flush(self) -> None:
        data, self._waiting = self._waiting, bytearray()
        try:
            await asyncio.to_thread(self._keep, memoryview(data))
        except OSError as error:
            raise scratch_unwritable("the upload cannot be probed", error) from error

    def _keep(self, data: memoryview) -> None:
        head = data[: max(0, self._edge - self._kept)]
        if head:
            _write(self._path, self._kept, head)
        self._kept += len(head)
        rest = data[len(head) :]
        while rest:
            at = (self._kept - self._edge) % self._edge
            piece = rest[: self._edge - at]
            _write(self._ring, at, piece)
            self._kept += len(piece)
            rest = rest[len(piece) :]

    def _join(self) -> SampledFile:
        size = self._kept
        tail_at = max(self._edge, size - self._edge)
        at = tail_at
        while at < size:
            in_ring = (at - self._edge) % self._edge
            length = min(_WRITE_BYTES, size - at, self._edge - in_ring)
            _write(self._path, at, _read(self._ring, in_ring, length))
            at += length
        self._ring.unlink(missing_ok=True)
        return SampledFile(self._path, size, ((self._edge, tail_at),) if tail_at > self._edge else ())


async def stored_sample(store: Store, path: str, file: Path, *, edge_bytes: int = EDGE_BYTES) -> SampledFile:
    """Read both ends of a blob that is in the store already.

    Args:
        store: the store.
        path: of the blob.
        file: where they are kept; it must not exist.
        edge_bytes: how many bytes are kept of each end.

    Raises:
        BlobMissing: there is no such blob.
        ForgeSyteError: STORAGE_FULL when the scratch folder is full.
    """
    size = await store.size(path)
    if size is None:
        raise BlobMissing(path)
    tail_at = max(edge_bytes, size - edge_bytes)
    for start, end in ((0, edge_bytes), (tail_at, size)):
        at = start
        async for chunk in store.stream(path, start=start, end=end):
            try:
                await asyncio.to_thread(_write, file, at, chunk)
            except OSError as error:
                raise scratch_unwritable("the upload cannot be probed", error) from error
            at += len(chunk)
    return SampledFile(file, size, ((edge_bytes, tail_at),) if tail_at > edge_bytes else ())


def _write(path: Path, offset: int, data: bytes | memoryview) -> None:
    # Opened for each piece: pieces are large, and so an upload cannot leave a descriptor open. The sandbox reads the
    # file under a uid of its own, so others may; its folder lets no other user in.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o604), "wb") as file:
        file.seek(offset)
        file.write(data)


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
