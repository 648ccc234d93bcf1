"""What the store raises when it refuses or is away, and the one way to wait such a time out."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.store.blobs import StoreUnavailable
from forgesyte_chassis.waiting import retry

STORE_FAULTS = (StoreUnavailable, OSError)
"""The store itself, and a file of this machine on its way from or to it."""

RETRY_EVERY_S = 0.5
_MAX_TEXT_CHARS = 500


class StoreLost(Exception):
    """The store refused longer than we are patient; the text says with what."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a refusing store is asked again.

    Attributes:
        limit_s: seconds from the first refusal until we give up.
        monotonic: seconds that never jump.
    """

    limit_s: float
    monotonic: Callable[[], float]

    async def persist[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Do `call` again and again until the store takes it.

        Raises:
            StoreLost: it refused for the whole limit.
        """
        end_s = math.inf

        def gives_up(_fault: Exception) -> bool:
            nonlocal end_s
            now_s = self.monotonic()
            end_s = min(end_s, now_s + self.limit_s)
            return now_s >= end_s

        try:
            return await retry(call, on=STORE_FAULTS, every_s=RETRY_EVERY_S, gives_up=gives_up)
        except STORE_FAULTS as fault:
            raise StoreLost(str(fault.__cause__ or fault)[:_MAX_TEXT_CHARS]) from fault
