"""What a job's sandbox receives about the job."""

from pathlib import Path
from typing import Any

from forgesyte_contracts.jobs import JobRecord
from forgesyte_plugin_runner.settings import RunnerSettings


def job_spec(
    record: JobRecord, entry_point: str, media: Path, *, device: str, settings: RunnerSettings
) -> dict[str, Any]:
    """Return the spec of the sandbox's program `job`."""
    return {
        "entry_point": entry_point,
        "plugin": record.plugin_id,
        "kind": record.job_type.kind,
        "tools": list(record.tools),
        "options": record.options,
        "input": str(media),
        "device": device,
        "job_id": record.job_id,
        "skip_frames": list(record.skip_frames),
        "max_side_px": settings.max_side_px,
        "max_image_pixels": settings.max_image_pixels,
        "max_frames": settings.max_frames,
    }
