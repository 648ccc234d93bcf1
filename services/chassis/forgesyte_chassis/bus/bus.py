"""The bus as a service sees it: one object with a part for each kind of data."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from forgesyte_chassis.background import beside
from forgesyte_chassis.clock import SYSTEM_CLOCK, Clock
from forgesyte_contracts.streams import WORK

from .connection.connection import CONNECT_LIMIT_S, Connection
from .control_messages import ControlMessages
from .live import Live
from .provision import provision
from .queue.work import WorkQueue
from .records.plugins import PluginTable
from .records.records import Records
from .records.runners import RunnerTable
from .write_probe import WriteProbe


class Bus:
    """Two connections (one for live messages alone) and what travels over them. Created by `connect`.

    Attributes:
        jobs: the job records.
        work: the work queue.
        runners: the heartbeats of the runners.
        plugins: the last known state of each plugin.
        control: control messages to the owner of a job, and to the runners of a plugin.
        live: live messages for the current watchers of a job.
        ack_wait_s: seconds without a sign of life after which a job's message goes to another runner.
    """

    def __init__(self, main: Connection, live: Connection, work: WorkQueue, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._main = main
        self.jobs = Records(main)
        self.work = work
        self.runners = RunnerTable(main, clock=clock)
        self.plugins = PluginTable(main)
        self.control = ControlMessages(main)
        self.live = Live(live)
        self.ack_wait_s = work.ack_wait_s

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str,
        *,
        name: str,
        token: str | None = None,
        limit_s: float = CONNECT_LIMIT_S,
        ack_wait_s: float = WORK.ack_wait_s,
        clock: Clock = SYSTEM_CLOCK,
    ) -> AsyncIterator["Bus"]:
        """Connect to the bus, and close at the end.

        Args:
            url: `nats://host:port`, several with commas between.
            name: the client's name on the server.
            token: shared secret, if the server wants one.
            limit_s: how long to wait for the server, in seconds.
            ack_wait_s: differs from the contract only in tests.
            clock: ages connections and heartbeats.

        Raises:
            BusUnavailable: the server could not be reached within `limit_s` seconds.
        """
        async with AsyncExitStack() as stack:
            main, live = [
                await stack.enter_async_context(
                    Connection.open(url, name=each, token=token, limit_s=limit_s, clock=clock)
                )
                for each in (name, f"{name} live")
            ]
            work = WorkQueue(main, stack, ack_wait_s=ack_wait_s)
            await stack.enter_async_context(beside(work.run()))
            yield cls(main, live, work, clock=clock)

    @property
    def is_connected(self) -> bool:
        """Whether the connection is believed to be up."""
        return self._main.is_connected

    @property
    def fault(self) -> str | None:
        """Why the bus cannot be used, in a sentence: not connected, or (while probed) it stores nothing."""
        if not self.is_connected:
            return "the connection to the message broker (NATS) is down"
        return self._main.write_fault

    def check(self) -> bool | str:
        """For readiness: True while the bus can be used, else what is wrong."""
        return self.fault or True

    @property
    def usable_for_s(self) -> float:
        """Seconds for which the bus could be used without a break; 0 while it cannot.

        No runner can show that it lives on a bus that stores nothing, so owners are judged by this.
        """
        return self._main.usable_for_s

    async def probe_writes(self) -> None:
        """Probe until cancelled whether the bus stores what it is sent; it must have its streams (`ensure`)."""
        await WriteProbe(self._main).run()

    @property
    def reconnects(self) -> int:
        """How often the connection was restored."""
        return self._main.reconnects

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each reconnect; it must return at once. Return a function that unregisters it."""
        return self._main.on_reconnect(callback)

    async def wait_connected(self, limit_s: float) -> None:
        """Wait until the connection is up. Raises BusUnavailable after `limit_s` seconds."""
        await self._main.wait_connected(limit_s)

    async def ensure(self, *, replicas: int = 1) -> None:
        """Create every missing stream and bucket and update the others. Raises BusUnavailable; may be repeated."""
        await provision(self._main, replicas=replicas)
