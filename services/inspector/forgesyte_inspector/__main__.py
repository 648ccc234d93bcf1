"""`python -m forgesyte_inspector`: the inspector alone, as a pod runs it."""

import sys

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.health import Health, ops_app, serve_ops
from forgesyte_chassis.httpserver import open_listener, serve_http
from forgesyte_chassis.keys import KeyRing, require_loopback
from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_chassis.metrics import new_registry

from .app import create_app
from .settings import InspectorSettings

log = structlog.get_logger(__name__)


async def serve(lifetime: Lifetime, settings: InspectorSettings) -> None:
    """Serve the public port and the ops port until the lifetime stops.

    Raises:
        ForgeSyteError: the bus is away, an address is taken, or no key guards an address others can reach.
    """
    keys = KeyRing.from_settings(settings)
    require_loopback(settings.host, keys)
    registry = new_registry("inspector")
    token = None if settings.bus_token is None else settings.bus_token.get_secret_value()
    async with Bus.connect(settings.bus_url, name="inspector", token=token) as bus:
        await bus.ensure()
        app = create_app(bus, keys, settings, registry=registry)
        ops = ops_app(_readiness(bus, lifetime), registry)
        lifetime.group.create_task(serve_ops(ops, settings.ops_host, settings.ops_port, lifetime), name="ops")
        async with app.router.lifespan_context(app):
            listener = open_listener(settings.host, settings.port)
            log.info("inspector ready", host=settings.host, port=listener.getsockname()[1])
            await serve_http(app, listener, stopping=lifetime.stopping, grace_s=settings.drain_s)


def _readiness(bus: Bus, lifetime: Lifetime) -> Health:
    health = Health()
    health.add_check("bus", lambda: bus.is_connected or "the connection to the bus is down")
    health.add_check("draining", lambda: not lifetime.stopping.is_set() or "stopping")
    health.set_ready(True)
    return health


def main() -> int:
    """Run the service; gives the exit code."""
    settings = InspectorSettings()
    return run_service(lambda lifetime: serve(lifetime, settings), name="inspector", settings=settings)


if __name__ == "__main__":
    sys.exit(main())
