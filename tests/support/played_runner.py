"""A plugin-runner played by a test: it carries one job through records and live messages, without a plugin."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from forgesyte_chassis.bus import Bus
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from forgesyte_contracts.problems import Code
from forgesyte_contracts.realtime import (
    Box,
    FrameData,
    FramePayload,
    LiveOrder,
    Payload,
    ProgressPayload,
    ProgressStatus,
    envelope,
)
from forgesyte_contracts.results import ResultSummary
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.warnings import JobWarning

RUNNER = "runner-1"


class PlayedRunner:
    """One job as its runner carries it through: the record first, then live messages."""

    def __init__(self, bus: Bus, record: JobRecord) -> None:
        self._bus = bus
        self.record = record
        self.revision = 0
        self.order = LiveOrder(0, 0)

    @property
    def job_id(self) -> JobId:
        """The job's id."""
        return JobId(self.record.job_id)

    async def change(self, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Change the record on the bus and return it."""
        stored = await self._bus.jobs.change(self.job_id, change)
        self.record, self.revision = stored.record, stored.revision
        return self.record

    async def claim(self, runner_id: str = RUNNER) -> None:
        """Begin an attempt."""
        await self.change(lambda record: moves.claimed(record, runner_id, now()))
        self.order = LiveOrder(self.record.attempt, 0)

    async def write(self, frame: int, total: int | None = None, **changes: Any) -> None:
        """Write progress into the record, as of the last live message."""
        percent = 100 * frame // total if total else 0
        facts = {"current_frame": frame, "total_frames": total, "progress": percent, "order": str(self.order)}
        known = {"summary": ResultSummary(frame_count=frame), **facts, **changes}
        await self.change(lambda record: moves.progressed(record, now(), **known))

    async def warn(self, *texts: str, frame_index: int | None = None) -> None:
        """Add warnings to the record."""
        warnings = [JobWarning(text=text, frame_index=frame_index) for text in texts]
        await self.change(lambda record: moves.warned(record, warnings))

    async def complete(self, total: int) -> None:
        """End the job as completed."""
        facts = {"summary": ResultSummary(frame_count=total), "total_frames": total, "order": str(self.order)}
        await self.change(lambda record: moves.completed(record, now(), **facts))

    async def fail(self, message: str = "the plugin broke", code: Code = Code.PLUGIN_ERROR) -> None:
        """End the job as failed, at frame 7."""
        await self.change(lambda record: moves.failed(record, code, "ValueError", message, now(), frame=7))

    async def cancel(self) -> None:
        """End the job as cancelled."""
        await self.change(lambda record: moves.cancelled(record, now()))

    async def live(self, payload: Payload, *, order: LiveOrder | None = None) -> bool:
        """Publish a live message under the next order, or under the given one."""
        if order is None:
            order = self.order = LiveOrder(self.order.attempt, self.order.n + 1)
        return await self._bus.live.publish(self.job_id, payload.TYPE, envelope(payload), str(order))

    async def frame(self, frame: int, total: int | None, *, order: LiveOrder | None = None) -> bool:
        """Publish the live progress of one frame."""
        return await self.live(self.progress(frame, total), order=order)

    def progress(self, frame: int, total: int | None) -> ProgressPayload:
        """The live progress of one frame."""
        return ProgressPayload(
            job_id=self.job_id,
            status=ProgressStatus.RUNNING,
            progress=min(99, 100 * frame // total) if total else 0,
            current_frame=frame,
            total_frames=total,
            current_tool=self.record.tools[0],
            tools_total=len(self.record.tools),
            tools_completed=0,
        )


def now() -> datetime:
    """The moment in UTC."""
    return datetime.now(UTC)


def a_record(**changes: Any) -> JobRecord:
    """A pending job with an id of its own."""
    moment = now()
    facts = {
        "job_id": new_job_id(),
        "plugin_id": "motion",
        "tools": ("detect-motion",),
        "created_at": moment,
        "updated_at": moment,
    }
    return JobRecord(**{**facts, **changes})


def a_heartbeat(*names: str) -> RunnerHeartbeat:
    """The heartbeat of RUNNER with these plugins."""
    plugins = tuple(
        PluginOnRunner(
            name=name,
            state=PluginState.INITIALIZED,
            manifest=PluginManifest(name=name, version="1.2.3", tools=(ToolManifest(name="a-tool"),)),
        )
        for name in names
    )
    return RunnerHeartbeat(
        runner_id=RUNNER, host="here", pid=1, version="0.1.0", started_at="2026-01-01T00:00:00Z", slots=1,
        plugins=plugins,
    )  # fmt: skip


def a_frame(job_id: str, index: int = 1, image_bytes: int = 1000) -> FramePayload:
    """A preview with one box and an image of so many bytes."""
    box = Box(x=1, y=2, width=30, height=40, confidence=0.9, class_="car", track_id=4)
    data = FrameData(boxes=(box,), width=640, height=360, image="data:image/jpeg;base64," + "A" * image_bytes)
    return FramePayload(
        job_id=job_id, frame_id=f"{job_id}-{index}", frame_index=index, plugin="motion", data=data, device_used="cpu",
        timing_ms=3.2,
    )  # fmt: skip
