"""What the bus raises, and the one place that turns the client's exceptions into ours.

No caller outside this package ever sees an exception of the NATS client: it is a BusUnavailable, try again later.
Inside the package an ApiRefusal says which no the server said; one that nobody here expected (a stream that is
missing) goes out as what it is to everybody else: a bus that can not serve now.
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
_MAY_BE_MENDED = frozenset({404, 408, 409, 429})


class BusUnavailable(ForgeSyteError):
    """The bus did not answer in time, or is away. A write that ended like this may still have landed."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.SERVICE_UNAVAILABLE, detail)


class ApiRefusal(BusUnavailable):
    """JetStream answered with an error.

    Attributes:
        status: the class of error, as HTTP counts them (404 not found).
        err_code: JetStream's own number.
    """

    def __init__(self, status: int, err_code: int, description: str) -> None:
        super().__init__(f"The bus refused: {description} ({status}, {err_code}).")
        self.status = status
        self.err_code = err_code

    @property
    def is_lost_race(self) -> bool:
        """Whether somebody else wrote first."""
        return self.err_code in WRONG_LAST_SEQUENCE

    @property
    def is_message_missing(self) -> bool:
        """Whether the stream is there and holds no such message; a stream that is missing itself says nothing."""
        return self.err_code == _MESSAGE_NOT_FOUND

    @property
    def is_for_good(self) -> bool:
        """Whether the same request will be refused again, however often it is made: too large, malformed."""
        return self.status in _REFUSED_FOR_GOOD and self.status not in _MAY_BE_MENDED and not self.is_lost_race

    @property
    def is_name_in_use(self) -> bool:
        """Whether a stream of this name exists with other settings."""
        return self.err_code == _NAME_IN_USE


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the client raises into BusUnavailable.

    Args:
        doing: what was going on, as in "while <doing>".
    """
    try:
        yield
    except (nats.errors.Error, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise BusUnavailable(f"The bus did not answer while {doing}: {reason}. Try again in a moment.") from error
