"""What a scrape reads from a runner: slots, sandboxes, states, memory, devices. Runs in the scrape's thread.

Nothing is kept between scrapes, so that a plugin or device that is gone leaves no stale series behind.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.runners import Device

from .attempt.attempt import Attempt
from .devices.devices import DeviceMonitor
from .job_sandboxes import JobSandboxes
from .living_sandboxes import LivingSandbox
from .plugin_labels import PluginLabels
from .plugins.registry import PluginRegistry
from .slots import Slots


@dataclass(frozen=True, slots=True, eq=False)
class RunnerGauges(Collector):
    """Reads the parts of a runner.

    Attributes:
        labels: which plugins have a label of their own.
        slots, plugins, sandboxes, devices: what is read.
        reconnects: returns how often the bus reconnected.
    """

    labels: PluginLabels
    slots: Slots[Attempt]
    plugins: PluginRegistry
    sandboxes: JobSandboxes
    devices: DeviceMonitor
    reconnects: Callable[[], int]

    def collect(self) -> Iterator[Metric]:
        """Return every gauge with its current value."""
        jobs = list(self.slots.jobs.values())
        yield _value("slots", "Jobs that may run at once", self.slots.count)
        yield _value("slots_busy", "Jobs running now", len(jobs))
        ages = [age for job in jobs if (age := job.checkpoint_age_s) is not None]
        yield _value(
            "checkpoint_age_seconds", "Seconds since the oldest checkpoint of a running job", max(ages, default=0)
        )
        yield CounterMetricFamily(
            "forgesyte_runner_bus_reconnects", "Reconnections to the bus", value=self.reconnects()
        )
        yield from self._of_policy()
        yield from self._of_plugins()
        yield from self._of_sandboxes()
        yield from self._of_devices()

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not read parts that do not run yet."""
        return []

    def _of_policy(self) -> Iterator[Metric]:
        if (policy := self.sandboxes.policy) is not None:
            text = "1 while the wall around plugin code lacks a required part, or is switched off"
            yield _value("sandbox_degraded", text, float(policy.word != "walled"))

    def _of_plugins(self) -> Iterator[Metric]:
        states = _family("plugin_state", "1 for the state a plugin is in", "plugin", "state")
        found = [(self.labels.of(plugin.name), plugin.state) for plugin in self.plugins.list_all()]
        for name in sorted({name for name, _ in found}):
            here = {state for label, state in found if label == name}
            for state in PluginState:
                states.add_metric([name, state.value], float(state in here))
        yield states
        last = _family("plugin_last_success_timestamp_seconds", "When a plugin last completed a job", "plugin")
        moments: dict[str, float] = {}
        for name, moment in self.plugins.last_successes().items():
            label = self.labels.of(name)
            moments[label] = max(moments.get(label, 0.0), moment.timestamp())
        yield _filled(last, moments)

    def _of_sandboxes(self) -> Iterator[Metric]:
        busy = self.sandboxes.living.all()
        # One that just ended its job may briefly be in both: it counts as busy until its attempt lets go of it.
        taken = {sandbox.pid for sandbox in busy}
        warm = [LivingSandbox(plugin, pid, 0) for pid, plugin in self.sandboxes.waiting().items() if pid not in taken]
        processes = _family("sandbox_processes", "Living sandboxes", "plugin", "state")
        for state, living in (("busy", busy), ("warm", warm)):
            for label, count in sorted(Counter(self.labels.of(sandbox.plugin) for sandbox in living).items()):
                processes.add_metric([label, state], count)
        yield processes
        yield from self._of_memory([*busy, *warm])
        limits: dict[str, float] = {}
        for sandbox in busy:
            label = self.labels.of(sandbox.plugin)
            limits[label] = max(limits.get(label, 0), sandbox.limit_bytes)
        limit_text = "Bytes one job of a plugin may use above its warm sandbox"
        yield _filled(_family("plugin_memory_limit_bytes", limit_text, "plugin"), limits)

    def _of_memory(self, living: list[LivingSandbox]) -> Iterator[Metric]:
        held: dict[str, float] = {}
        on_gpu: dict[str, float] = {}
        by_pid = self.devices.gpu_memory_by_pid
        for sandbox in living:
            label = self.labels.of(sandbox.plugin)
            held[label] = held.get(label, 0) + sandbox.held_bytes()
            on_gpu[label] = on_gpu.get(label, 0) + by_pid.get(sandbox.pid, 0)
        yield _filled(_family("plugin_memory_bytes", "Resident bytes of a plugin's sandboxes", "plugin"), held)
        yield _filled(_family("plugin_gpu_memory_bytes", "GPU bytes of a plugin's sandboxes", "plugin"), on_gpu)

    def _of_devices(self) -> Iterator[Metric]:
        utilisation = _family("device_utilisation_ratio", "How busy a device is, 0 to 1", "device")
        memory = _family("device_memory_bytes", "Memory of a device", "device", "kind")
        for device in self.devices.devices:
            if device.utilisation_ratio is not None:
                utilisation.add_metric([device.name], device.utilisation_ratio)
            for kind, value in _memory_of(device):
                memory.add_metric([device.name, kind], value)
        yield utilisation
        yield memory


def _memory_of(device: Device) -> list[tuple[str, int]]:
    figures = (("used", device.memory_used_bytes), ("total", device.memory_total_bytes))
    return [(kind, value) for kind, value in figures if value is not None]


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"forgesyte_runner_{name}", text, labels=labels)


def _value(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"forgesyte_runner_{name}", text, value=value)


def _filled(family: GaugeMetricFamily, values: dict[str, float]) -> GaugeMetricFamily:
    for label, value in sorted(values.items()):
        family.add_metric([label], value)
    return family
