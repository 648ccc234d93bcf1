"""The errors of a store that refuses or is unavailable, and the one way to retry until it recovers."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.clock import Clock
from forgesyte_chassis.store.blobs import Store, StoreUnavailable
from forgesyte_chassis.waiting import retry

STORE_FAULTS = (StoreUnavailable, OSError)
"""An error of the store itself, or of a file of this machine on its way to or from the store."""

RETRY_EVERY_S = 0.5
_MAX_TEXT_CHARS = 500


class StoreLost(Exception):
    """The store refused for longer than the limit, so the attempt is given back; the text holds the last error."""


@dataclass(frozen=True, slots=True)
class PatientStore:
    """The store, and how long a call to it is retried.

    Attributes:
        store: the store.
        limit_s: seconds from the first refusal until the runner gives up.
        clock: the runner's.
        is_disk_in_want: whether a disk that this runner writes to is known to be full or gone. The limit begins when
            that is over: on the same disk no other runner would fare better, and each try would cost an attempt.
    """

    store: Store
    limit_s: float
    clock: Clock
    is_disk_in_want: Callable[[], bool] = lambda: False

    async def persist[T](self, call: Callable[[Store], Awaitable[T]]) -> T:
        """Retry `call` until the store accepts it.

        Raises:
            StoreLost: it refused for the whole limit.
        """
        end_s = math.inf

        def gives_up(_fault: Exception) -> bool:
            nonlocal end_s
            if self.is_disk_in_want():
                end_s = math.inf
                return False
            now_s = self.clock.monotonic_s()
            end_s = min(end_s, now_s + self.limit_s)
            return now_s >= end_s

        try:
            return await retry(lambda: call(self.store), on=STORE_FAULTS, every_s=RETRY_EVERY_S, gives_up=gives_up)
        except STORE_FAULTS as fault:
            raise StoreLost(str(fault.__cause__ or fault)[:_MAX_TEXT_CHARS]) from fault
