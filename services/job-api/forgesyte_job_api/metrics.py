"""What job-api counts: requests, uploads, jobs accepted and refused, and what the reconciler repaired.

Every label comes from a closed set. Anything else is `other`: a path that is not in the route table, an unknown method,
plugins beyond the first hundred. So neither clients nor plugins can make the number of series grow.
"""

from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.requests import ClientDisconnect

from forgesyte_chassis.metrics import SECONDS_BUCKETS, closed
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import JOB_API, routes_of

MAX_PLUGINS_NAMED = 100
"""How many plugins are named; all others share the label `other`."""

CLIENT_GONE = 499
"""The status of a request whose client disconnected before an answer began; no such answer is ever sent."""

_TEMPLATES = frozenset(route.path for route in routes_of(JOB_API))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STATUSES = frozenset(str(status.value) for status in HTTPStatus) | {str(CLIENT_GONE)}
_KINDS = frozenset({"image", "video"})


class Reconciled(StrEnum):
    """What the reconciler did for a job."""

    WORK_SENT_AGAIN = "work_sent_again"
    NO_RUNNER_FOR_IT = "nobody_can_run_it"
    RECORD_KEPT = "record_kept"
    RECORD_PURGED = "record_purged"
    BLOBS_REMOVED = "blobs_removed"


class UploadResult(StrEnum):
    """How an upload ended. The service's own faults are `failed`, the client's `broken_off`."""

    STORED = "stored"
    REFUSED = "refused"
    BROKEN_OFF = "broken_off"
    FAILED = "failed"


class ApiMetrics:
    """The counters of one job-api.

    Args:
        registry: where they are counted; one application a registry.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"forgesyte_api_{name}", text, labels, registry=registry)

        self._requests = counter("requests_total", "Requests answered", "route", "method", "code")
        self._seconds = Histogram(
            "forgesyte_api_request_seconds", "Seconds from a request's headers to the last byte of its answer",
            ("route", "method"), registry=registry, buckets=SECONDS_BUCKETS,
        )  # fmt: skip
        self._submitted = counter("jobs_submitted_total", "Jobs accepted", "plugin", "kind")
        self._rejected = counter("jobs_rejected_total", "Submits refused, by the problem's code", "code")
        self._uploads = counter("uploads_total", "Uploads that began, by how they ended", "result")
        self._upload_bytes = counter("upload_bytes_total", "Bytes of request bodies received by submits")
        self._reconciled = counter("reconciled_total", "Repairs by the reconciler", "reason")
        self._reconcile_failures = counter("reconcile_failures_total", "Rounds of the reconciler that failed")
        self._reconcile_age = Gauge(
            "forgesyte_api_reconcile_age_seconds", "Seconds since the reconciler's last complete round",
            registry=registry,
        )  # fmt: skip
        self._plugins: set[str] = set()
        # Series that alerts use exist from the start, so that zero is a value and not an absence.
        for result in UploadResult:
            self._uploads.labels(result.value)
        for reason in Reconciled:
            self._reconciled.labels(reason.value)

    def answered(self, route: str | None, method: str, status: int, elapsed_s: float) -> None:
        """A request ended after `elapsed_s` seconds; `route` is its template, None where there is none."""
        where = (closed(route, _TEMPLATES), closed(method, _METHODS))
        self._requests.labels(*where, closed(str(status), _STATUSES)).inc()
        self._seconds.labels(*where).observe(elapsed_s)

    def submitted(self, plugin: str, kind: str) -> None:
        """A job began; its plugin is one that a runner offers."""
        if plugin not in self._plugins and len(self._plugins) < MAX_PLUGINS_NAMED:
            self._plugins.add(plugin)
        self._submitted.labels(closed(plugin, self._plugins), closed(kind, _KINDS)).inc()

    def reconciled(self, reason: Reconciled, count: int = 1) -> None:
        """The reconciler repaired something."""
        self._reconciled.labels(reason.value).inc(count)

    def reconcile_failed(self) -> None:
        """A round of the reconciler could not be done, or not for every job."""
        self._reconcile_failures.inc()

    def show_reconcile_age(self, age_s: Callable[[], float]) -> None:
        """Show what `age_s` returns at each scrape: seconds since the reconciler's last complete round."""
        self._reconcile_age.set_function(age_s)

    def received(self, size_bytes: int) -> None:
        """A piece of a submit's body arrived."""
        self._upload_bytes.inc(size_bytes)

    def refused(self, error: Exception) -> None:
        """A submit was refused because of `error`; a client that disconnected was not refused."""
        if not isinstance(error, ClientDisconnect):
            self._rejected.labels(_code_of(error).value).inc()

    def upload_ended(self, result: UploadResult) -> None:
        """An upload that had begun ended like this."""
        self._uploads.labels(result.value).inc()


def _code_of(error: Exception) -> Code:
    if isinstance(error, RequestValidationError):
        return Code.REQUEST_INVALID
    return error.code if isinstance(error, ForgeSyteError) else Code.INTERNAL
