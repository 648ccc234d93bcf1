"""Which service answers which path: the single table that the one-box edge, the chart's ingress and tests read."""

from dataclasses import dataclass

from .problems import Code, ForgeSyteError

JOB_API = "job-api"
INSPECTOR = "inspector"
REALTIME_GATEWAY = "realtime-gateway"


@dataclass(frozen=True, slots=True)
class Route:
    """One public path. `path` is written as in OpenAPI; `scope` is what a key must have (None: open to all).

    `has_socket` says that a WebSocket begins there; such a route is listed as the GET with which it begins.
    """

    method: str
    path: str
    service: str
    scope: str | None
    has_socket: bool = False


ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/video/submit", JOB_API, "analyze"),
    Route("POST", "/v1/image/submit", JOB_API, "analyze"),
    Route("POST", "/v1/image/analyze", JOB_API, "analyze"),
    Route("GET", "/v1/jobs", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/extended", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/result", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/frames", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/result/timeline", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/input", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/video", JOB_API, "read"),
    Route("GET", "/v1/jobs/{job_id}/playable", JOB_API, "read"),
    Route("POST", "/v1/jobs/{job_id}/cancel", JOB_API, "analyze"),
    Route("POST", "/v1/jobs/{job_id}/retry", JOB_API, "analyze"),
    Route("GET", "/v1", JOB_API, None),
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
    Route("GET", "/asyncapi.json", REALTIME_GATEWAY, None),
    Route("GET", "/v1/realtime", REALTIME_GATEWAY, "stream", has_socket=True),
    Route("GET", "/ws/jobs/{job_id}", REALTIME_GATEWAY, "stream", has_socket=True),
    Route("GET", "/v1/ws/jobs/{job_id}", REALTIME_GATEWAY, "stream", has_socket=True),
)


def routes_of(service: str) -> tuple[Route, ...]:
    """Return the routes that a service answers."""
    return tuple(route for route in ROUTES if route.service == service)


def scope_of(method: str, path: str) -> str | None:
    """Return the scope that `method` on `path` (as in ROUTES) requires.

    Raises:
        ForgeSyteError: ROUTE_UNKNOWN when the table lacks the route.
    """
    for route in ROUTES:
        if (route.method, route.path) == (method, path):
            return route.scope
    raise ForgeSyteError(Code.ROUTE_UNKNOWN, f"{method} {path} is not in the route table")
