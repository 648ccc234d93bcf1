"""Bus subjects and blob paths: the only module that spells them.

>>> work("motion-detector", "cpu", JobId("0190..."))
'forgesyte.work.motion-detector.cpu.0190...'
"""

from .ids import JobId

WORK_PREFIX = "forgesyte.work"
LIVE_PREFIX = "forgesyte.live"
CONTROL_PREFIX = "forgesyte.control"
ALL_WORK = f"{WORK_PREFIX}.>"
WORK_PROBE = f"{WORK_PREFIX}.write-probe"
"""Of no plugin and no job: what is sent there is removed at once, and only shows that the queue takes messages."""

ALL_JOB_CONTROL = f"{CONTROL_PREFIX}.job.*"
ALL_PLUGIN_CONTROL = f"{CONTROL_PREFIX}.plugin.*"
ORDER_HEADER = "Fs-Order"


def work(plugin: str, device: str, job_id: JobId) -> str:
    """Return the subject that carries at most one message for one job."""
    return f"{WORK_PREFIX}.{plugin}.{device}.{job_id}"


def work_filter(plugin: str, device: str) -> str:
    """Return the filter of the consumer for one plugin on one device."""
    return f"{WORK_PREFIX}.{plugin}.{device}.*"


def work_consumer(plugin: str, device: str) -> str:
    """Return the name of the durable consumer for one plugin on one device."""
    return f"runner-{plugin}-{device}"


def parse_work(subject: str) -> tuple[str, str, JobId]:
    """Split a work subject into plugin, device and job id.

    Raises:
        ValueError: it is not a work subject.
    """
    parts = subject.split(".")
    if len(parts) != 5 or not subject.startswith(f"{WORK_PREFIX}."):
        raise ValueError(f"expected {WORK_PREFIX}.<plugin>.<device>.<job id>, found {subject!r}")
    return parts[2], parts[3], JobId(parts[4])


def live(job_id: JobId, kind: str) -> str:
    """Return the subject of one kind of live message of a job; these are never stored."""
    return f"{LIVE_PREFIX}.{job_id}.{kind}"


def live_filter(job_id: JobId) -> str:
    """Return the filter for all live messages of one job."""
    return f"{LIVE_PREFIX}.{job_id}.*"


def job_control(job_id: JobId) -> str:
    """Return the subject on which the owner of a running job listens for cancel and watch."""
    return f"{CONTROL_PREFIX}.job.{job_id}"


def plugin_control(name: str) -> str:
    """Return the subject on which every runner listens for the reload of a plugin."""
    return f"{CONTROL_PREFIX}.plugin.{name}"


def job_folder(job_id: JobId) -> str:
    """Return the folder in the store that holds all data of one job; it ends with a slash."""
    return f"jobs/{job_id}/"


def input_blob(job_id: JobId) -> str:
    """Return the path of the uploaded media."""
    return f"jobs/{job_id}/input"


def segment_folder(job_id: JobId) -> str:
    """Return the folder of the row segments; it ends with a slash."""
    return f"jobs/{job_id}/seg/"


def segment_blob(job_id: JobId, attempt: int, first_frame: int) -> str:
    """Return the path of one segment of rows, which is written once and never changed."""
    return f"jobs/{job_id}/seg/{attempt}-{first_frame}"


def parse_segment(path: str) -> tuple[int, int]:
    """Return the attempt and the first frame of a segment's path.

    Raises:
        ValueError: the last part is not `<attempt>-<first frame>`.
    """
    attempt, _, first_frame = path.rpartition("/")[2].partition("-")
    return int(attempt), int(first_frame)


def result_blob(job_id: JobId, attempt: int) -> str:
    """Return the path of the result document with the rows that fit inline (JSON).

    It names the attempt that wrote it, so that an attempt which has lost the job cannot overwrite the valid result.
    """
    return f"jobs/{job_id}/result-{attempt}.json"


def result_rows_blob(job_id: JobId, attempt: int) -> str:
    """Return the path of all rows of a completed job: the segments' zstd frames in sequence, merged by this attempt."""
    return f"jobs/{job_id}/result-{attempt}.jsonl.zst"


def warnings_blob(job_id: JobId, attempt: int) -> str:
    """The warnings one attempt knew of when they did not all fit into the record (JSON: [[index, warning], ...])."""
    return f"jobs/{job_id}/warnings-{attempt}.json"


def record_blob(job_id: JobId) -> str:
    """Return the path of the record at the job's ending; every view can be rebuilt from it."""
    return f"jobs/{job_id}/record.json"


def annotated_blob(job_id: JobId) -> str:
    """Return the path of the input with its boxes drawn in (MP4), made on first request; it can be made again."""
    return f"jobs/{job_id}/result.mp4"


def playable_blob(job_id: JobId) -> str:
    """Return the path of the copy that browsers show (MP4, of an image PNG), made on first request."""
    return f"jobs/{job_id}/playable"


def playable_facts_blob(job_id: JobId) -> str:
    """Return the path of what is known of it (JSON): whether the input itself is shown, else the copy's facts.

    It is written last: a copy without it is unfinished, and is made again.
    """
    return f"jobs/{job_id}/playable.json"


def playable_times_blob(job_id: JobId) -> str:
    """Return the path of the copy's frame table (binary, as /frames answers it)."""
    return f"jobs/{job_id}/playable.times"
