"""What a job's sandbox receives about the job."""

from pathlib import Path

from forgesyte_contracts.jobs import JobRecord
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.specs import JobSpec, MediaLimits


def job_spec(record: JobRecord, entry_point: str, media: Path, *, device: str, settings: RunnerSettings) -> JobSpec:
    """Return the spec of the sandbox's program `job`."""
    return JobSpec(
        entry_point=entry_point,
        tools=record.tools,
        input=str(media),
        job_id=record.job_id,
        kind=record.job_type.kind,
        device=device,
        options=record.options,
        skip_frames=record.skip_frames,
        video_stream=record.video_stream,
        media=MediaLimits(settings.max_side_px, settings.max_image_pixels, settings.max_frames),
    )
