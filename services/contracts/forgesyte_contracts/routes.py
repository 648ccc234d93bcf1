"""Which service answers which path: the one table that the one-box edge, the chart's ingress and tests read."""

from dataclasses import dataclass

from .problems import Code, ForgeSyteError

JOB_API = "job-api"
INSPECTOR = "inspector"
REALTIME_GATEWAY = "realtime-gateway"


@dataclass(frozen=True, slots=True)
class Route:
    """One public path. `path` is written as OpenAPI writes it; `scope` is what a key must hold (None: everybody)."""

    method: str
    path: str
    service: str
    scope: str | None


ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/video/submit", JOB_API, "analyze"),
    Route("POST", "/v1/image/submit", JOB_API, "analyze"),
    Route("POST", "/v1/image/analyze", JOB_API, "analyze"),
    Route("GET", "/v1/jobs", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/extended", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/result", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/input", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/video", JOB_API, "read"),
    Route("POST", "/v1/jobs/{job_id}/cancel", JOB_API, "analyze"),
    Route("GET", "/openapi.json", JOB_API, None),
    Route("GET", "/health", JOB_API, None),
    Route("GET", "/v1/health", JOB_API, None),
    Route("GET", "/v1/plugins", INSPECTOR, "plugins"),
    Route("GET", "/v1/plugins/", INSPECTOR, "plugins"),
    Route("GET", "/v1/plugins/{name}", INSPECTOR, "plugins"),
    Route("GET", "/v1/plugins/{name}/health", INSPECTOR, "plugins"),
    Route("GET", "/v1/plugins/{name}/manifest", INSPECTOR, "plugins"),
    Route("POST", "/v1/plugins/{name}/reload", INSPECTOR, "admin"),
    Route("GET", "/v1/devices", INSPECTOR, "read"),
    Route("GET", "/v1/runners", INSPECTOR, "read"),
    Route("GET", "/v1/realtime", REALTIME_GATEWAY, "stream"),
    Route("GET", "/ws/jobs/{job_id}", REALTIME_GATEWAY, "stream"),
    Route("GET", "/v1/ws/jobs/{job_id}", REALTIME_GATEWAY, "stream"),
)
"""Sockets stand here as the GET with which they begin."""


def routes_of(service: str) -> tuple[Route, ...]:
    """The routes that a service answers."""
    return tuple(route for route in ROUTES if route.service == service)


def scope_of(method: str, path: str) -> str | None:
    """The scope that `method` on `path` (as in ROUTES) asks for.

    Raises:
        ForgeSyteError: ROUTE_UNKNOWN when the table does not hold it.
    """
    for route in ROUTES:
        if (route.method, route.path) == (method, path):
            return route.scope
    raise ForgeSyteError(Code.ROUTE_UNKNOWN, f"{method} {path} is not in the route table")
