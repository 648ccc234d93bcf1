"""The main loop under every service: one task group, signals, a drain with a limit, an exit code.

The first SIGTERM, SIGINT or SIGHUP sets `Lifetime.stopping`; the service stops taking work and returns from its main
function within `drain_s` seconds. A second signal ends the process immediately: its sender has decided not to wait.
Children do not outlive the process, because each is started with a parent-death signal.

A SIGHUP is never such a second signal, because a terminal that closes sends several. What would still be written to
that terminal is dropped, so that the drain does not fail over it. A SIGHUP that is ignored when the process starts, as
under nohup, stays ignored.

Rejected: asyncio.run with KeyboardInterrupt (no SIGTERM, and it cancels instead of draining); letting uvicorn capture
the signals (it knows nothing of the rest of the process).
"""

import asyncio
import errno
import os
import signal
import sys
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import structlog
import uvloop

from forgesyte_contracts.problems import ForgeSyteError

from . import logs
from .settings import ProcessSettings

DRAIN_MARGIN_S = 5.0
"""Seconds a service gets beyond its own drain limit to write its last log lines before it is cancelled, and again
before the process exits although a task ignores its cancellation."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = structlog.get_logger(__name__)


class Lifetime:
    """One run of a service.

    Attributes:
        stopping: set by the first signal or by stop(); work waits on it to learn about the drain.
        group: owns every task that lives as long as the service; it is cancelled when the main function has returned.
    """

    def __init__(self, group: asyncio.TaskGroup, *, on_stop: Callable[[], None] | None = None) -> None:
        self.stopping = asyncio.Event()
        self.group = group
        self._on_stop = on_stop

    def stop(self) -> None:
        """Start the drain; further calls have no effect."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._on_stop is not None:
            self._on_stop()


class _MainReturned(Exception):
    """Raised inside the group to cancel its remaining tasks."""


def run_service(main: Callable[[Lifetime], Awaitable[None]], *, name: str, settings: ProcessSettings) -> int:
    """Run a service until it returns, fails or is stopped.

    Args:
        main: receives the Lifetime; returns when the service is done.
        name: the service's name in the log.
        settings: log format and level, and the drain limit.

    Returns:
        The exit code: 0 after an orderly end, a signal included; 1 after a failure or an overrun drain.
    """
    logs.configure(settings, service=name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(main, settings.drain_s))


async def _serve(main: Callable[[Lifetime], Awaitable[None]], drain_s: float) -> int:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:

            def limit_the_drain() -> None:
                limit.reschedule(loop.time() + drain_s + DRAIN_MARGIN_S)
                loop.call_later(drain_s + 2 * DRAIN_MARGIN_S, _leave, 1)

            async with asyncio.TaskGroup() as group:
                lifetime = Lifetime(group, on_stop=limit_the_drain)
                for number in _SIGNALS:
                    if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                        continue
                    loop.add_signal_handler(number, _on_signal, lifetime, number)
                await main(lifetime)
                raise _MainReturned
    except TimeoutError:
        log.error("drain limit reached", drain_s=drain_s)
        return 1
    except BaseExceptionGroup as ending:
        return _judge(ending)


def _judge(ending: BaseExceptionGroup[BaseException]) -> int:
    _, faults = ending.split(_MainReturned)
    if faults is None:
        return 0
    expected, unexpected = faults.split(ForgeSyteError)
    for fault in _leaves(expected):
        log.error("service failed", code=str(fault.code), detail=fault.detail, **fault.data)
    if unexpected is not None:
        log.error("service failed", exc_info=unexpected)
    return 1


def _leaves(group: BaseExceptionGroup[ForgeSyteError] | None) -> list[ForgeSyteError]:
    found: list[ForgeSyteError] = []
    for fault in group.exceptions if group is not None else ():
        found += _leaves(fault) if isinstance(fault, BaseExceptionGroup) else [fault]
    return found


def _on_signal(lifetime: Lifetime, number: signal.Signals) -> None:
    if number is signal.SIGHUP:
        _let_go_of_lost_terminal()
    if lifetime.stopping.is_set():
        if number is signal.SIGHUP:
            return
        log.warning("second signal, leaving at once", signal=number.name)
        _leave(128 + number)
    log.info("stopping", signal=number.name)
    lifetime.stop()


def _let_go_of_lost_terminal() -> None:
    """Point stdout and stderr at /dev/null where they lead to a terminal that has hung up: each write to it fails."""
    for fd in (1, 2):
        try:
            termios.tcgetattr(fd)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, fd)
                os.close(nowhere)


def _leave(code: int) -> NoReturn:
    """Exit without waiting: no finally block, thread or exit handler may delay it."""
    with suppress(OSError):  # their terminal may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
