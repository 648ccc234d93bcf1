"""The store: media, row segments and results, by path, over a folder or an object store.

Memory stays the same at any size: what is large goes in and out as a stream. Every put is whole or not there. In a
folder it is also on the disk when the call returns (see durable.py), because the record that names it is.

obstore's blocking calls are used, in threads of the store's own. Its async calls were rejected: they set a future's
result from a foreign thread, and when the interpreter ends in that moment the process aborts (seen with 0.12, exit
code 134 in 35 of 240 short runs against none of 420). A call that was begun is waited for even when cancelled, since
its effect would come all the same. A range that is empty or begins behind the end is an error there, so it is not asked
for.
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

from .durable_folder import Folder
from .errors import BlobMissing, StoreSilent, StoreUnavailable, told, too_large

__all__ = ["BlobMissing", "Store", "StoreUnavailable"]

CHUNK_BYTES = 1024 * 1024
"""How much of a blob a stream hands out at once, at least, but for the last chunk."""

PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes; a stream holds at most PARTS_AT_ONCE of them in memory."""

PARTS_AT_ONCE = 2
CALLS_AT_ONCE = 16
"""How many calls of one store may be under way; further ones wait for their turn."""

CANCEL_GRACE_S = 10.0


class Store:
    """Blobs by path; paths come from contracts.subjects alone.

    Every method raises StoreUnavailable (SERVICE_UNAVAILABLE) when the store does not do what it is asked to.
    """

    def __init__(
        self, backend: ObjectStore, folder: Folder | None = None, *, call_limit_s: float | None = None
    ) -> None:
        self._backend = backend
        self._folder = folder
        self._call_limit_s = call_limit_s
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="store")

    @classmethod
    def open(cls, url: str, *, call_limit_s: float | None = None) -> Self:
        """Open a store.

        Args:
            url: a folder (made when absent), `file:///folder`, or `s3://`, `gs://`, `az://` with a bucket.
            call_limit_s: how long a single call (a chunk of a stream, a listing) may take, in seconds; a file system
                of the network may never answer. None sets no limit.

        Raises:
            OSError: the folder can not be made.
            ValueError: no store goes by this URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("", "file"):
            try:
                return cls(from_url(url), call_limit_s=call_limit_s)
            except BaseError as error:  # its text repeats the URL, which may hold a secret
                raise ValueError(f"expected a folder or a store's URL, found one with {parts.scheme}://") from error
        root = Path(unquote(parts.path) if parts.scheme else url).expanduser().absolute()
        root.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(root, automatic_cleanup=True), Folder(root), call_limit_s=call_limit_s)

    async def put(self, path: str, data: bytes) -> None:
        """Write a blob, in place of the one that may be there.

        Raises:
            BlobMissing: it was removed by somebody else before it was on the disk.
        """
        await self._call(path, partial(self._put, path, data, "overwrite"))

    async def create(self, path: str, data: bytes) -> bool:
        """Write a blob unless there is one.

        Returns:
            False when there was one already; it is left as it is.
        """
        return await self._call(path, partial(self._put, path, data, "create"))

    async def put_stream(self, path: str, chunks: AsyncIterator[Buffer], *, max_bytes: int | None = None) -> int:
        """Write a blob from a stream. On any error, and when cancelled, nothing of it stays.

        Args:
            path: where.
            chunks: the bytes, in pieces of any size; what it raises is passed on.
            max_bytes: the most that is taken; None means no limit.

        Returns:
            The bytes written.

        Raises:
            ForgeSyteError: MEDIA_TOO_LARGE with both numbers, as soon as the limit is passed.
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
            raise  # the writer is still in the hands of the call that hangs
        except BaseException as error:
            with suppress(StoreUnavailable, BlobMissing):  # the first error is the one to tell
                await self._call(path, partial(writer.__exit__, type(error), error, error.__traceback__))
            if self._folder is not None:
                await self._call(path, partial(self._folder.drop_empty_above, path))
            raise
        if self._folder is not None:
            await self._call(path, partial(self._folder.persist, path))
        return total

    async def get(self, path: str) -> bytes:
        """Read a whole blob that is known to be small.

        Raises:
            BlobMissing: there is none.
        """
        return await self._call(path, lambda: bytes(obstore.get(self._backend, path).bytes()))

    async def tail(self, path: str, length: int) -> tuple[bytes, int]:
        """Read the last bytes of a blob.

        Args:
            path: where.
            length: how many bytes, at least 1; a shorter blob is given whole.

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
        """Read the bytes start <= position < end, which must not be empty nor begin behind the end of the blob.

        Raises:
            BlobMissing: there is none.
        """
        return await self._call(path, lambda: bytes(obstore.get_range(self._backend, path, start=start, end=end)))

    async def stream(self, path: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read a blob in pieces.

        Args:
            path: where.
            start: the first byte, 0-based; behind the end of the blob there is nothing, and that is no error.
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
        """Copy a blob into a file of this machine; on any error the file is gone.

        Returns:
            The bytes written.

        Raises:
            BlobMissing: there is none.
            OSError: the file can not be written, a full disk included.
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
        """Tell how many bytes a blob has; None when there is none."""
        with suppress(BlobMissing):
            return await self._call(path, lambda: obstore.head(self._backend, path)["size"])
        return None

    async def list(self, prefix: str) -> list[str]:
        """Give the paths under a folder (a path ending with a slash), sorted by name."""

        def read() -> list[str]:
            return sorted(meta["path"] for batch in obstore.list(self._backend, prefix) for meta in batch)

        return await self._call(prefix, read)

    async def delete(self, path: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with suppress(BlobMissing):
            await self._call(path, partial(obstore.delete, self._backend, path))

    async def delete_folder(self, prefix: str) -> None:
        """Remove everything under a folder, leftovers of killed puts included."""
        for path in await self.list(prefix):
            await self.delete(path)
        if self._folder is not None:
            await self._call(prefix, partial(self._folder.remove, prefix))

    async def sweep(self, *, older_than_s: float = 3600.0) -> int:
        """Remove what killed puts left behind in a folder; an object store has its lifecycle rules for that.

        Args:
            older_than_s: how long nothing was written to it, in seconds. 0 only where nobody else writes to the store:
                a put under way looks the same.

        Returns:
            How many leftovers were removed.
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
        with told(path):
            return future.result()
