"""The errors of the bus, and the one place that translates the exceptions of the NATS client.

Callers outside this package never see an exception of the NATS client: they see BusUnavailable, which means try again
later. Inside the package, ApiRefusal tells how the server refused; an unexpected refusal (a missing stream) leaves the
package as a BusUnavailable too, because to its caller the bus is simply unable to serve.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors

from forgesyte_contracts.problems import Code, ForgeSyteError

WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
"""JetStream's codes for "the expected last sequence is not the last one": a compare-and-set that lost."""

_MESSAGE_NOT_FOUND = 10037
_NAME_IN_USE = 10058
_REFUSED_FOR_GOOD = range(400, 500)
_MAY_SUCCEED_LATER = frozenset({404, 408, 409, 429})


class BusUnavailable(ForgeSyteError):
    """The message broker is unreachable or did not answer in time. A write that ends like this may have succeeded."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.SERVICE_UNAVAILABLE, detail)


class ApiRefusal(BusUnavailable):
    """JetStream refused a request.

    Attributes:
        status: the class of error, numbered as in HTTP (404 not found).
        err_code: JetStream's own number.
    """

    def __init__(self, status: int, err_code: int, description: str) -> None:
        super().__init__(f"The message broker (NATS) refused the request: {description} ({status}, {err_code}).")
        self.status = status
        self.err_code = err_code

    @property
    def is_lost_race(self) -> bool:
        """Whether another writer was first."""
        return self.err_code in WRONG_LAST_SEQUENCE

    @property
    def is_message_missing(self) -> bool:
        """Whether the stream exists and has no such message; a missing stream proves nothing."""
        return self.err_code == _MESSAGE_NOT_FOUND

    @property
    def is_for_good(self) -> bool:
        """Whether repeating the request is pointless because it will always be refused: too large, malformed."""
        return self.status in _REFUSED_FOR_GOOD and self.status not in _MAY_SUCCEED_LATER and not self.is_lost_race

    @property
    def is_name_in_use(self) -> bool:
        """Whether a stream of this name exists with other settings."""
        return self.err_code == _NAME_IN_USE


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate exceptions of the client to BusUnavailable.

    Args:
        doing: what is being done, as in "while <doing>".
    """
    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise BusUnavailable(
            f"The message broker (NATS) did not answer while {doing}: {reason}. Try again shortly."
        ) from error
