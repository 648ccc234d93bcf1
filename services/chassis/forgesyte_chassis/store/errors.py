"""The errors of the store.

obstore's own messages name internal files and servers; they are kept as the cause, for the log, and never reach a user.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from forgesyte_contracts.problems import Code, ForgeSyteError


class BlobMissing(KeyError):
    """There is no blob at the path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"there is no blob at {self.path}"


class StoreUnavailable(ForgeSyteError):
    """The store failed: unreachable, full, or without permission. The cause is for the log."""

    def __init__(self) -> None:
        super().__init__(Code.SERVICE_UNAVAILABLE, "The store could not be read or written. Try again shortly.")


class StoreSilent(StoreUnavailable):
    """The store did not answer a call within its limit; the call may still take effect."""


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Translate exceptions of obstore and of the disk to BlobMissing or StoreUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise BlobMissing(path) from None
    except (BaseError, OSError) as error:
        raise StoreUnavailable from error


def too_large(found: int, limit: int) -> ForgeSyteError:
    """Return the error for a stream of at least `found` bytes where `limit` are allowed."""
    text = f"At least {found} bytes were sent and {limit} are allowed. Send a shorter or a smaller file."
    return ForgeSyteError(Code.MEDIA_TOO_LARGE, text, found_bytes=found, limit_bytes=limit)
