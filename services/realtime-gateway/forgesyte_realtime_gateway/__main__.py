"""`python -m forgesyte_realtime_gateway`: the gateway alone, as a pod runs it."""

import sys

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.web_service import WebService, run_web_service

from .app import create_app, end_streams
from .settings import GatewaySettings
from .sockets.protocol import SocketProtocol

_GRACE_S = 5.0
"""Once sockets and streams are closed, only short requests remain."""


def main() -> int:
    """Run the service and return the exit code."""
    settings = GatewaySettings()

    def make_app(bus: Bus, keys: KeyRing, registry: CollectorRegistry) -> FastAPI:
        return create_app(bus, keys, settings, registry=registry)

    service = WebService(
        "realtime-gateway", make_app, end_streams=end_streams, longest_grace_s=_GRACE_S, ws=SocketProtocol
    )
    return run_web_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
