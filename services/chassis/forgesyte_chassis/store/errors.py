"""What the store may say instead of doing what it was asked to.

obstore's own texts name files and servers of the inside; they stay the cause, for the log, and never reach a user.
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
    """The store did not do what it was asked to: away, full, or without the right. The cause is for the log."""

    def __init__(self) -> None:
        super().__init__(Code.SERVICE_UNAVAILABLE, "The store could not be read or written. Try again in a moment.")


class StoreSilent(StoreUnavailable):
    """The store did not answer a call within its limit; the call may still take effect."""


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what obstore or the disk raises into BlobMissing or StoreUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise BlobMissing(path) from None
    except (BaseError, OSError) as error:
        raise StoreUnavailable from error


def too_large(found: int, limit: int) -> ForgeSyteError:
    """Make the refusal of a stream: at least `found` bytes came and `limit` are allowed."""
    text = f"At least {found} bytes were sent and {limit} are allowed. Send a shorter or a smaller file."
    return ForgeSyteError(Code.MEDIA_TOO_LARGE, text, found_bytes=found, limit_bytes=limit)
