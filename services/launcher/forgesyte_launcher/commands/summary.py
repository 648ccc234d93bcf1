"""The table that is printed at the end of a job."""

from pathlib import Path

from forgesyte_contracts.http.jobs import JobView
from forgesyte_launcher.client.results import FILES
from forgesyte_launcher.terminal.output import table


def show_summary(job: JobView, name: str, out: Path) -> None:
    """Print what ran, what was detected, how fast it was, and where the files are; `name` is the title."""
    table(rows=summary_rows(job, out), title=f"{name}: {job.status}")


def summary_rows(job: JobView, out: Path) -> list[tuple[str, str]]:
    """Return the rows of the table as name and value; an unknown value has no row."""
    rows = [("job", job.job_id), ("plugin", job.plugin_id), ("tools", ", ".join(job.tools))]
    seconds = _seconds(job)
    if job.summary is not None:
        rows.append(("frames", str(job.summary.frame_count)))
        rows.append(("detections", _detections(job)))
    if seconds is not None:
        rows.append(("time", f"{seconds:.1f} s"))
    if seconds and job.summary is not None and job.summary.frame_count:
        rows.append(("speed", f"{job.summary.frame_count / seconds:.1f} frames/s"))
    if job.attempt > 1:
        rows.append(("attempts", str(job.attempt)))
    rows += [(name.partition(".")[0], str(out / name)) for name in FILES if (out / name).exists()]
    return rows


def _detections(job: JobView) -> str:
    if job.summary is None:
        return ""
    classes = ", ".join(f"{count} {name}" for name, count in sorted(job.summary.classes.items()))
    return f"{job.summary.detection_count} ({classes})" if classes else str(job.summary.detection_count)


def _seconds(job: JobView) -> float | None:
    if job.started_at is None or job.completed_at is None:
        return None
    return (job.completed_at - job.started_at).total_seconds()
