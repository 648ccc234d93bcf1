"""The registry a service counts into, and the rule that keeps every label set closed.

A name is `forgesyte_<room>_<noun>_<unit>[_total]`. Labels are small closed sets (plugin, device, outcome); never a job
id, never text from outside: closed() maps unknown values to `other`, so that callers cannot grow the registry.
"""

from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

OTHER = "other"

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Histogram buckets in seconds, wide enough for a single frame and for a whole job."""


def new_registry(service: str) -> CollectorRegistry:
    """Return a new registry (never the library's global one, so that two services can share a process).

    Args:
        service: the distribution's name without `forgesyte-`, e.g. `job-api`; it becomes a label of the build facts.
    """
    # A `_created` series for every counter and histogram would be dead weight.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no types
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = Info("forgesyte_build", "Which service this is and its version", registry=registry)
    build.info({"service": service, "version": _version(service)})
    return registry


def closed(value: str | None, known: Collection[str]) -> str:
    """Return `value` if it is one of `known`, else `other`; every label from outside goes through this."""
    return value if value is not None and value in known else OTHER


def _version(service: str) -> str:
    try:
        return version(f"forgesyte-{service}")
    except PackageNotFoundError:
        return "unknown"
