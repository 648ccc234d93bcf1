"""What a runner counts: jobs, attempts, frames, seconds, kills, refused claims.

Every label comes from a closed set. A plugin becomes a label only while this runner knows it, and only the first
hundred are named; the rest are `other`. So no plugin and no job can make the number of series grow.
"""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

from forgesyte_chassis.metrics import OTHER, SECONDS_BUCKETS, closed
from forgesyte_contracts.jobs import AttemptOutcome, DecodeFacts, JobRecord, JobStatus, StageTimings
from forgesyte_sandbox.parent.outcome import SandboxOutcome

from .plugin_labels import PluginLabels
from .stopping import StopReason

WAIT_BUCKETS = (0.01, 0.1, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0)
START_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0)
REFUSALS = (
    "absent", "finished", "winding down", "owner lives", "just reconnected", "taken", "exhausted", "plugin not ready",
    "suspect", "no suspect", "no control", "held",
)  # fmt: skip
SUSPECT_OUTCOMES = ("cleared", "failed", "completed")
_KILLED = {AttemptOutcome.TIMEOUT: "timeout", AttemptOutcome.OOM: "oom"}
_DECODING = {"timeout": "timeout", "oom": "oom"}
_STOPPED = {StopReason.CANCELLED: "cancel", StopReason.ENDED: "cancel", StopReason.FENCED: "fenced"}


class RunnerMetrics:
    """The counters of one runner.

    Args:
        registry: where they are counted.
        labels: which plugins have a label of their own.
    """

    def __init__(self, registry: CollectorRegistry, labels: PluginLabels) -> None:
        def counter(name: str, text: str, *names: str) -> Counter:
            return Counter(f"forgesyte_runner_{name}", text, names, registry=registry)

        def histogram(name: str, text: str, *names: str, buckets: tuple[float, ...] = SECONDS_BUCKETS) -> Histogram:
            return Histogram(f"forgesyte_runner_{name}", text, names, registry=registry, buckets=buckets)

        self._label = labels.of
        self._jobs = counter("jobs_total", "Jobs that ended here", "plugin", "kind", "outcome")
        self._attempts = counter("attempts_total", "Attempts that ended here", "plugin", "outcome")
        self._frames = counter("frames_total", "Frames of attempts here", "plugin", "status")
        self._kills = counter("sandbox_kills_total", "Sandboxes killed, by reason", "plugin", "reason")
        self._refused = counter("claims_refused_total", "Deliveries that did not become an attempt", "reason")
        self._suspects = counter("suspects_total", "Suspects that stopped being one here, by how", "outcome")
        self._stages = Summary(
            "forgesyte_runner_stage_seconds", "Seconds an attempt spent in a stage", ("plugin", "stage"),
            registry=registry,
        )  # fmt: skip
        self._job_seconds = histogram("job_seconds", "Seconds from first claim to ending", "plugin", "kind")
        self._waits = histogram(
            "queue_wait_seconds", "Seconds from submit to first claim", "kind", buckets=WAIT_BUCKETS
        )
        self._starts = histogram(
            "sandbox_start_seconds", "Seconds from asking for a sandbox until its plugin was loaded", "plugin",
            "isolation", buckets=START_BUCKETS,
        )  # fmt: skip

    def claimed(self, record: JobRecord) -> None:
        """Count a claimed job; the wait before its first attempt is its wait in the queue."""
        if record.attempt == 1 and record.started_at is not None:
            self._waits.labels(record.job_type.kind).observe(_seconds(record.created_at, record.started_at))

    def refused(self, reason: str) -> None:
        """Count a delivery that did not become an attempt."""
        self._refused.labels(closed(reason, REFUSALS).replace(" ", "_")).inc()

    def suspect_left(self, record: JobRecord) -> None:
        """Count a job that ran as a suspect, as its record is now: nothing while it still is one."""
        if record.is_terminal:
            outcome = record.status.value
        elif record.is_suspect:
            return
        else:
            outcome = "cleared"
        if outcome in SUSPECT_OUTCOMES:
            self._suspects.labels(outcome).inc()

    def sandbox_ran(self, plugin: str, isolation: str, outcome: SandboxOutcome) -> None:
        """Observe how long a job's sandbox took to start; nothing for a warm one or one that was never loaded.

        A start is fork and load in both isolations, so that they can be compared.
        """
        if outcome.start_ms is not None and not outcome.was_warm:
            self._starts.labels(self._label(plugin), isolation).observe(outcome.start_ms / 1000)

    def stopped(self, plugin: str, why: StopReason) -> None:
        """Count a living sandbox that was killed because its attempt was stopped."""
        self._kills.labels(self._label(plugin), _STOPPED.get(why, "shutdown")).inc()

    def died_decoding(self, plugin: str, outcome: SandboxOutcome) -> None:
        """Count a killed sandbox of a job that fails because of its media: no attempt has such an outcome."""
        if (reason := _DECODING.get(outcome.kind)) is not None:
            self._kills.labels(self._label(plugin), reason).inc()

    def frame_processed(self, plugin: str) -> None:
        """Count a frame that has its row."""
        self._frames.labels(self._label(plugin), "processed").inc()

    def attempt_ended(self, record: JobRecord, outcome: AttemptOutcome) -> None:
        """Count an attempt that ended; its record says whether the job ended too."""
        plugin = self._label(record.plugin_id)
        self._attempts.labels(plugin, outcome.value).inc()
        if outcome in _KILLED:
            self._kills.labels(plugin, _KILLED[outcome]).inc()
        self._add_frames(plugin, record.decode)
        self._add_stages(plugin, record.stage_timings_ms)
        if record.is_terminal:
            self._job_ended(plugin, record)

    def _job_ended(self, plugin: str, record: JobRecord) -> None:
        kind = record.job_type.kind
        outcome = record.status.value if record.status is not JobStatus.RUNNING else OTHER
        self._jobs.labels(plugin, kind, outcome).inc()
        if record.started_at is not None and record.completed_at is not None:
            self._job_seconds.labels(plugin, kind).observe(_seconds(record.started_at, record.completed_at))

    def _add_frames(self, plugin: str, decode: DecodeFacts | None) -> None:
        if decode is not None:
            self._frames.labels(plugin, "skipped").inc(max(decode.frames_skipped, 0))
            self._frames.labels(plugin, "corrupt").inc(max(decode.frames_corrupt, 0))

    def _add_stages(self, plugin: str, timings: StageTimings) -> None:
        for stage in StageTimings.model_fields:
            self._stages.labels(plugin, stage).observe(max(getattr(timings, stage), 0.0) / 1000)


def _seconds(begin: datetime, end: datetime) -> float:
    return max((end - begin).total_seconds(), 0.0)
