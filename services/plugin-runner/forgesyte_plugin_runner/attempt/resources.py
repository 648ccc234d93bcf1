"""What the attempts of one runner work with, grouped by concern; opened once by the runner and handed down."""

from dataclasses import dataclass

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.scratch import Scratch
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.fault_backoff import FaultBackoff
from forgesyte_plugin_runner.job_sandboxes import JobSandboxes
from forgesyte_plugin_runner.metrics import RunnerMetrics
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_plugin_runner.settings import RunnerSettings

from .live.watch_leases import WatchLeases
from .store_retry import PatientStore


@dataclass(frozen=True, slots=True)
class AttemptReports:
    """Who learns how attempts end, beside the record.

    Attributes:
        plugins: states and counts of the plugins.
        metrics: the runner's counters.
        backoff: whether this runner itself is well.
    """

    plugins: PluginRegistry
    metrics: RunnerMetrics
    backoff: FaultBackoff


@dataclass(frozen=True, slots=True)
class AttemptResources:
    """Everything an attempt needs to run.

    Attributes:
        bus: records, work and live messages.
        clock: the runner's.
        settings: intervals and limits.
        scratch: folders for the media of running jobs.
        storage: the store, with its patience.
        sandboxes: where jobs run.
        devices: what there is to compute on.
        leases: which jobs are watched.
        reports: who learns how attempts end.
    """

    bus: Bus
    clock: Clock
    settings: RunnerSettings
    scratch: Scratch
    storage: PatientStore
    sandboxes: JobSandboxes
    devices: DeviceMonitor
    leases: WatchLeases
    reports: AttemptReports
