"""The store: media, row segments and results, by path, in a folder or an object store.

Memory use does not depend on size: large blobs are streamed in and out. Every put is complete or absent. In a folder it
is also on the disk when the call returns (see durable_folder.py), because the record that names it is on the disk too.

obstore's blocking calls are used, in threads of the store's own. Its async calls were rejected: they set a future's
result from a foreign thread, and if the interpreter exits at that moment the process aborts (seen with 0.12, exit code
134 in 35 of 240 short runs against none of 420). A call that has begun is awaited even when cancelled, since it takes
effect anyway. obstore treats a range that is empty or begins after the end as an error, so it is never requested.
"""

import asyncio
from collections.abc import AsyncIterator, Buffer, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from .durable_folder import DurableFolder
from .errors import BlobMissing, StoreSilent, StoreUnavailable, too_large, translated

__all__ = ["BlobMissing", "Store", "StoreUnavailable", "folder_of"]

CHUNK_BYTES = 1024 * 1024
"""Minimum size of the chunks that a stream yields; the last one may be smaller."""

PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 accepts; a stream has at most PARTS_AT_ONCE of them in memory."""

PARTS_AT_ONCE = 2
CALLS_AT_ONCE = 16
"""How many calls to one store may run at once; further calls wait."""

CANCEL_GRACE_S = 10.0


def folder_of(url: str) -> Path | None:
    """Return the folder that a store's URL names, as an absolute path; None when it names no folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path) if parts.scheme else url).expanduser().absolute()


class Store:
    """Blobs by path; paths come from contracts.subjects only.

    Every method raises StoreUnavailable (SERVICE_UNAVAILABLE) if the store fails.
    """

    def __init__(
        self, backend: ObjectStore, folder: DurableFolder | None = None, *, call_limit_s: float | None = None
    ) -> None:
        self._backend = backend
        self._folder = folder
        self._call_limit_s = call_limit_s
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="store")

    @classmethod
    def open(cls, url: str, *, call_limit_s: float | None = None) -> Self:
        """Open a store.

        Args:
            url: a folder (if missing, created for this user alone), `file:///folder`, or `s3://`, `gs://`, `az://` with
                a bucket.
            call_limit_s: how long a single call (a chunk of a stream, a listing) may take, in seconds; a network
                file system may never answer. None sets no limit.

        Raises:
            OSError: the folder cannot be created.
            ValueError: the URL does not name a supported store.
        """
        root = folder_of(url)
        if root is None:
            try:
                return cls(from_url(url), call_limit_s=call_limit_s)
            except BaseError as error:  # its text repeats the URL, which may hold a secret
                raise ValueError(
                    f"expected a folder or a store's URL, found one with {urlsplit(url).scheme}://"
                ) from error
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(LocalStore(root, automatic_cleanup=True), DurableFolder(root), call_limit_s=call_limit_s)

    async def put(self, path: str, data: bytes) -> None:
        """Write a blob, replacing an existing one.

        Raises:
            BlobMissing: another process removed it before it was on the disk.
        """
        await self._call(path, partial(self._put, path, data, "overwrite"))

    async def create(self, path: str, data: bytes) -> bool:
        """Write a blob unless it exists.

        Returns:
            False if it existed already; it is unchanged.
        """
        return await self._call(path, partial(self._put, path, data, "create"))

    async def put_stream(self, path: str, chunks: AsyncIterator[Buffer], *, max_bytes: int | None = None) -> int:
        """Write a blob from a stream. After an error or a cancellation nothing of it remains.

        Args:
            path: the path.
            chunks: the bytes, in pieces of any size; its exceptions propagate.
            max_bytes: the highest accepted size; None means no limit.

        Returns:
            The number of bytes written.

        Raises:
            ForgeSyteError: MEDIA_TOO_LARGE with both numbers, as soon as the limit is exceeded.
        """
        writer = obstore.open_writer(self._backend, path, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        total = 0
        try:
            async for chunk in chunks:
                total += memoryview(chunk).nbytes
                if max_bytes is not None and total > max_bytes:
                    raise too_large(total, max_bytes)
                await self._call(path, partial(writer.write, chunk))
            await self._call(path, writer.close)
        except StoreSilent:
            raise  # the hanging call still uses the writer
        except BaseException as error:
            with suppress(StoreUnavailable, BlobMissing):  # the first error is the one to report
                await self._call(path, partial(writer.__exit__, type(error), error, error.__traceback__))
            if self._folder is not None:
                await self._call(path, partial(self._folder.drop_empty_above, path))
            raise
        if self._folder is not None:
            await self._call(path, partial(self._folder.persist, path))
        return total

    async def copy(self, source: str, path: str) -> None:
        """Copy a blob inside the store, replacing an existing one; through this process only if that is the only way.

        In a folder the two share their bytes on the disk, which no write ever changes. A file system without hard links
        and an object too large for the store's own copy are copied as a stream.

        Raises:
            BlobMissing: there is no `source`.
        """

        def copy() -> None:
            obstore.copy(self._backend, source, path)
            if self._folder is not None:
                self._folder.persist(path)

        try:
            await self._call(source, copy)
        except BlobMissing:
            if self._folder is not None:
                await self._call(path, partial(self._folder.drop_empty_above, path))
            raise
        except StoreSilent:
            raise
        except StoreUnavailable:
            await self.put_stream(path, self.stream(source))

    async def get(self, path: str) -> bytes:
        """Read a whole blob that is known to be small.

        Raises:
            BlobMissing: there is none.
        """
        return await self._call(path, lambda: bytes(obstore.get(self._backend, path).bytes()))

    async def tail(self, path: str, length: int) -> tuple[bytes, int]:
        """Read the last bytes of a blob.

        Args:
            path: the path.
            length: how many bytes, at least 1; a shorter blob is returned whole.

        Returns:
            The bytes, and the size of the whole blob in bytes.

        Raises:
            BlobMissing: there is none.
        """

        def read() -> tuple[bytes, int]:
            answer = obstore.get(self._backend, path, options={"range": {"suffix": length}})
            return bytes(answer.bytes()), answer.meta["size"]

        return await self._call(path, read)

    async def get_range(self, path: str, start: int, end: int) -> bytes:
        """Read the bytes start <= position < end; the range must not be empty nor begin after the end of the blob.

        Raises:
            BlobMissing: there is none.
        """
        return await self._call(path, lambda: bytes(obstore.get_range(self._backend, path, start=start, end=end)))

    async def stream(self, path: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read a blob in pieces.

        Args:
            path: the path.
            start: the first byte, 0-based; after the end of the blob there is nothing, which is not an error.
            end: the byte to stop before; None means to the end.

        Raises:
            BlobMissing: there is none.
        """
        size = await self.size(path)
        if size is None:
            raise BlobMissing(path)
        end = size if end is None else min(end, size)
        if start >= end:
            return
        answer = await self._call(path, lambda: obstore.get(self._backend, path, options={"range": (start, end)}))
        pieces = iter(answer.stream(CHUNK_BYTES))
        while (piece := await self._call(path, lambda: next(pieces, None))) is not None:
            yield bytes(piece)

    async def fetch_to(self, path: str, file: Path) -> int:
        """Copy a blob into a local file; after an error the file is removed.

        Returns:
            The number of bytes written.

        Raises:
            BlobMissing: there is none.
            OSError: the file cannot be written, for example because the disk is full.
        """
        total = 0
        try:
            with await asyncio.to_thread(file.open, "wb") as out:
                async for chunk in self.stream(path):
                    await asyncio.to_thread(out.write, chunk)
                    total += len(chunk)
        except BaseException:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            raise
        return total

    async def size(self, path: str) -> int | None:
        """Return the size of a blob in bytes; None if there is none."""
        with suppress(BlobMissing):
            return await self._call(path, lambda: obstore.head(self._backend, path)["size"])
        return None

    async def list(self, prefix: str) -> list[str]:
        """Return the paths in a folder (a path ending with a slash), sorted by name."""

        def read() -> list[str]:
            return sorted(meta["path"] for batch in obstore.list(self._backend, prefix) for meta in batch)

        return await self._call(prefix, read)

    async def delete(self, path: str) -> None:
        """Remove a blob; a missing blob is not an error."""
        with suppress(BlobMissing):
            await self._call(path, partial(obstore.delete, self._backend, path))

    async def delete_folder(self, prefix: str) -> None:
        """Remove everything in a folder, including leftovers of killed puts."""
        for path in await self.list(prefix):
            await self.delete(path)
        if self._folder is not None:
            await self._call(prefix, partial(self._folder.remove, prefix))

    async def sweep(self, *, older_than_s: float = 3600.0) -> int:
        """Remove the leftovers of killed puts from a folder; an object store has lifecycle rules for that.

        Args:
            older_than_s: seconds since the last write to a leftover. Use 0 only if no other process writes to the
                store: a put in progress looks the same.

        Returns:
            The number of leftovers removed.
        """
        if self._folder is None:
            return 0
        return await self._call("", partial(self._folder.sweep, older_than_s))

    def _put(self, path: str, data: bytes, mode: Literal["create", "overwrite"]) -> bool:
        try:
            obstore.put(self._backend, path, data, mode=mode)
        except AlreadyExistsError:
            return False
        if self._folder is not None:
            self._folder.persist(path)
        return True

    async def _call[T](self, path: str, ask: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        try:
            _, unanswered = await asyncio.wait([future], timeout=self._call_limit_s)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([future], timeout=CANCEL_GRACE_S)
            for one in done:
                one.exception()  # read, so that the loop does not report it
            raise
        if unanswered:
            future.add_done_callback(lambda late: late.exception())  # read, as above
            raise StoreSilent
        with translated(path):
            return future.result()
