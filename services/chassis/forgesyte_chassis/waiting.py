"""Two small things that services do while they wait: wait for an event with a limit, and retry what is unavailable.

Loops that run periodically anyway (feeds, sweeps, heartbeats) try again in their next turn and need no retry().

Both may be cancelled at any moment: a cancellation that meets the limit or a failure is never swallowed.

Rejected for retry(): stamina and tenacity. Their limits count from the first call, while some limits here count from
the first failure and others are deadlines shared by several calls; and a failed call here must be judged by the caller
(a refusal of the bus is also a BusUnavailable, but asking again may be pointless).
"""

import asyncio
from collections.abc import Awaitable, Callable


async def is_set_within(event: asyncio.Event, limit_s: float) -> bool:
    """Wait until `event` is set, at most `limit_s` seconds; return whether it was set in time."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _never(_fault: Exception) -> bool:
    return False


async def retry[T](
    call: Callable[[], Awaitable[T]],
    *,
    on: type[Exception] | tuple[type[Exception], ...],
    every_s: float,
    gives_up: Callable[[Exception], bool] = _never,
) -> T:
    """Return what `call` returns; while it raises `on`, call it again.

    Args:
        call: is called once or more.
        on: the exceptions after which it is called again; any other propagates unchanged.
        every_s: seconds between a failure and the next call.
        gives_up: asked after each failure; when it returns True, the failure propagates. This is where a limit belongs.
            Without it, only success, another exception or a cancellation ends the retries.
    """
    while True:
        try:
            return await call()
        except on as fault:
            if gives_up(fault):
                raise
        await asyncio.sleep(every_s)
