"""Waiting on a condition with a limit: the only kind of waiting a test does."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, overload


@overload
async def eventually[T](condition: Callable[[], Awaitable[T | None]], limit_s: float = ..., what: str = ...) -> T: ...


@overload
async def eventually[T](condition: Callable[[], T | None], limit_s: float = ..., what: str = ...) -> T: ...


async def eventually(condition: Callable[[], Any], limit_s: float = 60.0, what: str = "") -> Any:
    """Check the condition until it returns something true, and return that.

    Args:
        condition: plain or async; checked every 20 ms.
        limit_s: seconds until the test fails. Generous: it only costs time when the test fails, and a busy machine may
            need twenty seconds until a process has started.
        what: what is waited for, for the failure's text.

    Raises:
        AssertionError: the limit passed; names the last answer.
    """
    end = time.monotonic() + limit_s
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what or condition}; last answer: {answer!r}")
        await asyncio.sleep(0.02)
