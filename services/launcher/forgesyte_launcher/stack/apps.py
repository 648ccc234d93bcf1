"""The services that answer on the public port of the one-box run: the same applications as in their pods, here over one
connection to the bus, one key ring and one metrics registry.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from starlette.types import ASGIApp

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.ops import Check
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY
from forgesyte_inspector.app import create_app as create_inspector
from forgesyte_inspector.settings import InspectorSettings
from forgesyte_job_api.app import create_app as create_job_api
from forgesyte_job_api.app import readiness_checks as job_api_checks
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_realtime_gateway.app import create_app as create_gateway
from forgesyte_realtime_gateway.app import end_streams
from forgesyte_realtime_gateway.settings import GatewaySettings

from .dispatch import RouteDispatcher
from .openapi import Document, merged, openapi_app
from .page.built_page import BuiltPage
from .page.page_folders import page_folders


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The settings of each application."""

    job_api: JobApiSettings
    inspector: InspectorSettings
    gateway: GatewaySettings


@dataclass(frozen=True, slots=True)
class Apps:
    """The applications in the order in which their lifespans begin; they end in the reverse order."""

    by_service: dict[str, FastAPI]

    @property
    def front(self) -> ASGIApp:
        """The application in front of them all."""
        own = {"/openapi.json": openapi_app(self.document)}
        return RouteDispatcher(self.by_service, own=own, page=BuiltPage(page_folders()))

    def document(self) -> Document:
        """Return the OpenAPI document of all of them."""
        return merged(app.openapi() for app in self.by_service.values())

    def readiness_checks(self) -> Mapping[str, Check]:
        """Return what readiness depends on beside the bus, once the lifespans have begun."""
        return job_api_checks(self.by_service[JOB_API])

    @asynccontextmanager
    async def streams_closed_at_end(self) -> AsyncIterator[None]:
        """At the end of the block, before the server stops, close every socket with 1000 and end every event stream."""
        try:
            yield
        finally:
            gateway = self.by_service[REALTIME_GATEWAY]
            if hasattr(gateway.state, "gateway"):  # not when an earlier lifespan failed, so that its own never began
                await end_streams(gateway)


def read_settings(job_api: JobApiSettings) -> AppSettings:
    """Read the settings of the applications beside job-api from the environment.

    Raises:
        ForgeSyteError: REQUEST_INVALID when a setting in the environment is invalid.
    """
    try:
        return AppSettings(job_api, InspectorSettings(), GatewaySettings())
    except ValidationError as error:
        # Without the values: a user may have put a key there.
        faults = "; ".join(f"{part['loc'][0]}: {part['msg']}" for part in error.errors() if part["loc"])
        text = f"FORGESYTE_INSPECTOR_* or FORGESYTE_GATEWAY_* settings: {faults or 'not readable'}"
        raise ForgeSyteError(Code.REQUEST_INVALID, text) from None


def create_apps(bus: Bus, store: Store, keys: KeyRing, settings: AppSettings, *, registry: CollectorRegistry) -> Apps:
    """Make the applications over an open bus and store.

    Args:
        bus: connected, with its streams and buckets.
        store: where media and results are.
        keys: who may do what, in every application.
        settings: what each application is given.
        registry: where they count.
    """
    return Apps(
        {
            JOB_API: create_job_api(bus, store, keys, settings.job_api, registry=registry),
            INSPECTOR: create_inspector(bus, keys, settings.inspector, registry=registry),
            REALTIME_GATEWAY: create_gateway(bus, keys, settings.gateway, registry=registry),
        }
    )


def describe_apps() -> Document:
    """Return the OpenAPI document of the public port without running anything: no bus, no folder, no environment."""
    # An application uses its bus and its store in its lifespan and in its answers, and here it has neither.
    nothing = cast("Any", None)
    settings = AppSettings(
        JobApiSettings.model_construct(), InspectorSettings.model_construct(), GatewaySettings.model_construct()
    )
    return create_apps(nothing, nothing, KeyRing(), settings, registry=CollectorRegistry()).document()
