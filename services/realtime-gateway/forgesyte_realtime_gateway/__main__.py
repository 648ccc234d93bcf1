"""`python -m forgesyte_realtime_gateway`: the gateway alone, as a pod runs it."""

import asyncio
import sys

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.health import Health, ops_app, serve_ops
from forgesyte_chassis.httpserver import open_listener, serve_http
from forgesyte_chassis.keys import KeyRing, require_loopback
from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_chassis.metrics import new_registry

from .app import create_app, end_streams
from .protocol import SocketProtocol
from .settings import GatewaySettings

log = structlog.get_logger(__name__)


async def serve(lifetime: Lifetime, settings: GatewaySettings) -> None:
    """Serve the public port and the ops port until the lifetime stops; sockets are closed with 1000 first.

    Raises:
        ForgeSyteError: the bus is away, an address is taken, or no key guards an address others can reach.
    """
    keys = KeyRing.from_settings(settings)
    require_loopback(settings.host, keys)
    token = None if settings.bus_token is None else settings.bus_token.get_secret_value()
    registry = new_registry("realtime-gateway")
    async with Bus.connect(settings.bus_url, name="realtime-gateway", token=token) as bus:
        await bus.ensure()
        app = create_app(bus, keys, settings, registry=registry)
        ops = ops_app(_readiness(bus, lifetime), registry)
        lifetime.group.create_task(serve_ops(ops, settings.ops_host, settings.ops_port, lifetime), name="ops")
        async with app.router.lifespan_context(app):
            listener = open_listener(settings.host, settings.port)
            log.info("realtime-gateway ready", host=settings.host, port=listener.getsockname()[1])
            streams_ended = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    serve_http(
                        app, listener, stopping=streams_ended, grace_s=min(settings.drain_s, 5.0), ws=SocketProtocol
                    )
                )
                await lifetime.stopping.wait()
                await end_streams(app)
                streams_ended.set()


def _readiness(bus: Bus, lifetime: Lifetime) -> Health:
    health = Health()
    health.add_check("bus", lambda: bus.is_connected or "the connection to the bus is down")
    health.add_check("draining", lambda: not lifetime.stopping.is_set() or "stopping")
    health.set_ready(True)
    return health


def main() -> int:
    """Run the service; gives the exit code."""
    settings = GatewaySettings()
    return run_service(lambda lifetime: serve(lifetime, settings), name="realtime-gateway", settings=settings)


if __name__ == "__main__":
    sys.exit(main())
