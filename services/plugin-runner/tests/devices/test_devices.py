"""The devices in the heartbeat: the real cpu, and GPUs of a simulated driver."""

from types import SimpleNamespace

import pytest

from forgesyte_contracts.runners import Device
from forgesyte_plugin_runner.devices.devices import STALE_AFTER_S, DeviceMonitor, cpu_device
from forgesyte_plugin_runner.devices.nvidia import Nvidia
from tests.support import HandClock


class FakeNvml:
    """The driver's library with two GPUs; what is in `broken` raises."""

    class NVMLError(Exception):
        pass

    def __init__(self, *broken: str, count: int = 2) -> None:
        self.broken = broken
        self.count = count

    def _answer(self, name: str, value: object) -> object:
        if name in self.broken:
            raise self.NVMLError(name)
        return value

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        self._answer("init", None)

    def nvmlDeviceGetCount(self) -> object:  # noqa: N802
        return self._answer("count", self.count)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> object:  # noqa: N802
        return self._answer("utilisation", SimpleNamespace(gpu=25 * (handle + 1), memory=1))

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> object:  # noqa: N802
        return self._answer("memory", SimpleNamespace(total=100 + handle, used=40, free=60))

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> object:  # noqa: N802
        return self._answer(
            "processes", [SimpleNamespace(pid=7, usedGpuMemory=30), SimpleNamespace(pid=8, usedGpuMemory=None)]
        )


def no_library() -> object:
    raise ImportError("pynvml")


def test_the_cpu_is_measured_for_real():
    device = cpu_device()

    assert (device.name, device.kind) == ("cpu", "cpu")
    assert 0 <= device.utilisation_ratio <= 1
    assert 0 < device.memory_used_bytes < device.memory_total_bytes


def test_each_gpu_has_its_figures():
    nvidia = Nvidia(FakeNvml)

    assert nvidia.devices() == [
        Device(name="cuda:0", kind="gpu", utilisation_ratio=0.25, memory_used_bytes=40, memory_total_bytes=100),
        Device(name="cuda:1", kind="gpu", utilisation_ratio=0.5, memory_used_bytes=40, memory_total_bytes=101),
    ]
    assert nvidia.memory_by_pid() == {7: 60, 8: 0}


@pytest.mark.parametrize(
    "load",
    [no_library, lambda: FakeNvml("init"), lambda: FakeNvml("count"), lambda: FakeNvml(count=0)],
    ids=["no library", "no driver", "driver failed", "no card"],
)
def test_a_machine_without_a_gpu_has_none_and_nothing_is_raised(load):
    nvidia = Nvidia(load)

    assert (nvidia.devices(), nvidia.memory_by_pid()) == ([], {})


def test_a_card_that_does_not_answer_is_shown_without_figures():
    nvidia = Nvidia(lambda: FakeNvml("utilisation", "memory", "processes"))

    assert nvidia.devices()[0] == Device(name="cuda:0", kind="gpu")
    assert nvidia.memory_by_pid() == {}


async def test_the_latest_figures_are_shown_and_unknown_ones_when_they_are_old():
    clock = HandClock()
    monitor = DeviceMonitor(clock, Nvidia(FakeNvml))
    assert (monitor.kinds, monitor.devices) == ({"cpu"}, (Device(name="cpu", kind="cpu"),))

    await monitor.measure()
    assert monitor.kinds == {"cpu", "gpu"}
    assert monitor.devices[1].utilisation_ratio == 0.25
    assert monitor.gpu_memory_by_pid == {7: 60, 8: 0}

    clock.passed_s = STALE_AFTER_S + 0.1
    assert monitor.devices[1:] == (Device(name="cuda:0", kind="gpu"), Device(name="cuda:1", kind="gpu"))
    assert monitor.gpu_memory_by_pid == {}
