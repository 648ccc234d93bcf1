"""What a scrape reads from the list of jobs: open jobs, the longest wait, and how far the list is behind the bus.

Computed in the scrape's thread and not stored, so a figure is never older than the scrape.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.jobs import JobStatus

from .projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class JobGauges(Collector):
    """Reads a projection.

    Attributes:
        projection: the jobs.
        clock: its wall time says how long a job has waited.
    """

    projection: Projection
    clock: Clock

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge with its present value."""
        jobs = self.projection.records()
        counts = Counter(job.status for job in jobs)
        open_jobs = GaugeMetricFamily("forgesyte_api_jobs_open", "Jobs that have not ended", labels=["status"])
        for status in (JobStatus.PENDING, JobStatus.RUNNING):
            open_jobs.add_metric([status.value], counts[status])
        yield open_jobs
        now = self.clock.now()
        waits = [(now - job.created_at).total_seconds() for job in jobs if job.status is JobStatus.PENDING]
        yield GaugeMetricFamily(
            "forgesyte_api_oldest_pending_seconds",
            "Seconds since the oldest job that waits for its first runner was submitted; 0 when none waits",
            value=max([0.0, *waits]),  # not below 0 when the clock of the replica that accepted the job is ahead
        )
        yield GaugeMetricFamily(
            "forgesyte_api_projection_lag",
            "Revisions of the bus that the list of jobs has not seen yet; NaN while it has no feed",
            value=self.projection.lag,
        )

    def describe(self) -> list[Metric]:
        """Describe nothing: registering must not read."""
        return []

    @contextmanager
    def shown_in(self, registry: CollectorRegistry) -> Iterator[None]:
        """Register with the registry while the block runs."""
        registry.register(self)
        try:
            yield
        finally:
            registry.unregister(self)
