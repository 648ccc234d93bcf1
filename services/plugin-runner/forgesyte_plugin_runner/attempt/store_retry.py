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
        limit_s: seconds from the first refusal until the runner gives up; tries that began at a disk fault are free.
        clock: the runner's.
        has_disk_fault: whether a disk that this runner writes to is known to be full or gone: on the same disk no
            other runner would fare better, and each try would cost an attempt. A disk that the try itself fills does
            not count: media that is larger than the disk would be fetched forever.
    """

    store: Store
    limit_s: float
    clock: Clock
    has_disk_fault: Callable[[], bool] = lambda: False

    async def persist[T](self, call: Callable[[Store], Awaitable[T]]) -> T:
        """Retry `call` until the store accepts it.

        Raises:
            StoreLost: it refused for the whole limit.
        """
        left_s, failed_s, began_at_fault = self.limit_s, math.inf, False

        async def tried() -> T:
            nonlocal began_at_fault
            began_at_fault = self.has_disk_fault()
            return await call(self.store)

        def gives_up(_fault: Exception) -> bool:
            nonlocal left_s, failed_s
            now_s = self.clock.monotonic_s()
            if not began_at_fault:
                left_s -= max(now_s - failed_s, 0.0)
            failed_s = now_s
            return left_s <= 0 and not began_at_fault

        try:
            return await retry(tried, on=STORE_FAULTS, every_s=RETRY_EVERY_S, gives_up=gives_up)
        except STORE_FAULTS as fault:
            raise StoreLost(str(fault.__cause__ or fault)[:_MAX_TEXT_CHARS]) from fault
