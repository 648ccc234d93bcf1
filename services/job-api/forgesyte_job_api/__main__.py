"""`python -m forgesyte_job_api`: job-api alone, as a pod runs it."""

import sys

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.web_service import WebService, run_web_service

from .app import create_app, readiness_checks
from .settings import JobApiSettings


def main() -> int:
    """Run the service and return the exit code."""
    settings = JobApiSettings()

    def make_app(bus: Bus, keys: KeyRing, registry: CollectorRegistry) -> FastAPI:
        return create_app(bus, Store.open(settings.store_url), keys, settings, registry=registry)

    return run_web_service(WebService("job-api", make_app, checks=readiness_checks), settings)


if __name__ == "__main__":
    sys.exit(main())
