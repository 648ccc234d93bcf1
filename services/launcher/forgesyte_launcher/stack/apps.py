"""The services that answer on the public port of the one-box run: the same applications as in their pods, here over one
connection to the bus, one ring of keys and one registry of metrics.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from starlette.types import ASGIApp

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY
from forgesyte_inspector.app import create_app as create_inspector
from forgesyte_inspector.settings import InspectorSettings
from forgesyte_job_api.app import create_app as create_job_api
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_realtime_gateway.app import create_app as create_gateway
from forgesyte_realtime_gateway.app import end_streams
from forgesyte_realtime_gateway.settings import GatewaySettings

from .dispatch import RouteDispatcher
from .openapi import openapi_app


@dataclass(frozen=True, slots=True)
class Apps:
    """The applications in the order in which their lifespans begin; they end in the reverse order."""

    by_service: dict[str, FastAPI]

    @property
    def front(self) -> ASGIApp:
        """The one application in front of them all."""
        return RouteDispatcher(self.by_service, own={"/openapi.json": openapi_app(self.by_service.values())})

    @asynccontextmanager
    async def streams_closed_at_end(self) -> AsyncIterator[None]:
        """At the end of the block close every socket with 1000 and end every event stream; before the server stops."""
        try:
            yield
        finally:
            gateway = self.by_service[REALTIME_GATEWAY]
            if hasattr(gateway.state, "gateway"):  # not when another one's lifespan failed before its own began
                await end_streams(gateway)


def create_apps(bus: Bus, store: Store, keys: KeyRing, job_api: JobApiSettings, *, registry: CollectorRegistry) -> Apps:
    """Make the applications over an open bus and store.

    Args:
        bus: connected, with its streams and buckets.
        store: where media and results are.
        keys: who may do what, on every one of them.
        job_api: job-api's settings; the others need nothing but what their environment says.
        registry: where they count.

    Raises:
        ForgeSyteError: REQUEST_INVALID, when the environment holds a setting that can not be read.
    """
    try:
        inspector, gateway = InspectorSettings(), GatewaySettings()
    except ValidationError as error:
        # Without what was found: somebody may have put a key there.
        told = "; ".join(f"{part['loc'][0]}: {part['msg']}" for part in error.errors() if part["loc"])
        text = f"FORGESYTE_INSPECTOR_* or FORGESYTE_GATEWAY_* settings: {told or 'not readable'}"
        raise ForgeSyteError(Code.REQUEST_INVALID, text) from None
    return Apps(
        {
            JOB_API: create_job_api(bus, store, keys, job_api, registry=registry),
            INSPECTOR: create_inspector(bus, keys, inspector, registry=registry),
            REALTIME_GATEWAY: create_gateway(bus, keys, gateway, registry=registry),
        }
    )
