"""The parts that the endpoints of one gateway share; made by create_app."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from forgesyte_chassis.allowance import Allowance
from forgesyte_chassis.bus import Bus, RunnerView
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.fleet import fleet_plugins
from forgesyte_contracts.ids import JobId, parse_job_id
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code
from forgesyte_contracts.realtime import MessageType, envelope, metadata_of
from forgesyte_realtime_gateway.clients.client import Client, ClientFacts, HangUp
from forgesyte_realtime_gateway.clients.connections import ConnectionManager
from forgesyte_realtime_gateway.clients.outbox import OutboxLimits, Send
from forgesyte_realtime_gateway.clients.pings import Pings
from forgesyte_realtime_gateway.messages.message import Message, error_message
from forgesyte_realtime_gateway.metrics import GatewayMetrics
from forgesyte_realtime_gateway.settings import GatewaySettings
from forgesyte_realtime_gateway.watching.job_watches import JobWatches


@dataclass(frozen=True, slots=True)
class Gateway:
    """The shared parts, and what more than one endpoint does with them."""

    bus: Bus
    keys: KeyRing
    settings: GatewaySettings
    clock: Clock
    metrics: GatewayMetrics
    manager: ConnectionManager
    watches: JobWatches
    pings: Pings
    runners: RunnerView

    def client(self, facts: ClientFacts, send: Send, hang_up: HangUp) -> Client:
        """Make a client that is not connected yet."""
        settings = self.settings
        limits = OutboxLimits(settings.queue_messages, settings.queue_bytes, settings.stuck_s)
        now_s = self.clock.monotonic_s
        joins = Allowance(burst=settings.subscribe_burst, per_s=settings.subscribe_per_s, now_s=now_s)
        return Client(facts, send, hang_up, limits=limits, joins=joins, clock=self.clock, metrics=self.metrics)

    def greet(self, client: Client, plugin: str | None) -> None:
        """Send a client the metadata of every plugin, or of one."""
        for name, manifest in sorted(self._manifests().items()):
            if plugin in (None, name):
                body = envelope(metadata_of(manifest))
                self.manager.send_to(client.id, Message(MessageType.METADATA, body, made_s=self.clock.monotonic_s()))

    def send_error(self, client: Client, code: Code, text: str, *, job_id: str | None = None) -> None:
        """Send a client an error message."""
        self.manager.send_to(client.id, error_message(code, text, self.clock.monotonic_s(), job_id=job_id))

    async def forget(self, client: Client) -> None:
        """Take a client out of its jobs and disconnect it."""
        await self.watches.leave_all(client)
        self.manager.disconnect(client.id)

    def _manifests(self) -> dict[str, PluginManifest]:
        fleet = fleet_plugins(self.runners.living())
        return {name: manifest for name, plugin in fleet.items() if (manifest := plugin.manifest) is not None}


def job_id_of(text: str) -> JobId | None:
    """Return the canonical form of a job id; None when it is not a UUID."""
    try:
        return parse_job_id(text)
    except ValueError:
        return None


def since_of(connection: HTTPConnection) -> int | None:
    """Return the last revision a client has: `Last-Event-ID`, else `since`; None when neither is a valid number."""
    text = connection.headers.get("last-event-id") or connection.query_params.get("since") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
