"""Bus subjects and blob paths: the only module that spells them.

>>> work("motion-detector", "cpu", JobId("0190..."))
'forgesyte.work.motion-detector.cpu.0190...'
"""

from .ids import JobId

WORK_PREFIX = "forgesyte.work"
LIVE_PREFIX = "forgesyte.live"
CONTROL_PREFIX = "forgesyte.control"
ALL_WORK = f"{WORK_PREFIX}.>"
ALL_JOB_CONTROL = f"{CONTROL_PREFIX}.job.*"
ALL_PLUGIN_CONTROL = f"{CONTROL_PREFIX}.plugin.*"
ORDER_HEADER = "Fs-Order"


def work(plugin: str, device: str, job_id: JobId) -> str:
    """The subject that carries at most one message for one job."""
    return f"{WORK_PREFIX}.{plugin}.{device}.{job_id}"


def work_filter(plugin: str, device: str) -> str:
    """What the consumer of one plugin on one device listens to."""
    return f"{WORK_PREFIX}.{plugin}.{device}.*"


def work_consumer(plugin: str, device: str) -> str:
    """The durable consumer's name for one plugin on one device."""
    return f"runner-{plugin}-{device}"


def parse_work(subject: str) -> tuple[str, str, JobId]:
    """Take a work subject apart into plugin, device and job id.

    Raises:
        ValueError: it is not a work subject.
    """
    parts = subject.split(".")
    if len(parts) != 5 or not subject.startswith(f"{WORK_PREFIX}."):
        raise ValueError(f"expected {WORK_PREFIX}.<plugin>.<device>.<job id>, found {subject!r}")
    return parts[2], parts[3], JobId(parts[4])


def live(job_id: JobId, kind: str) -> str:
    """Where one kind of live message of a job goes; never stored."""
    return f"{LIVE_PREFIX}.{job_id}.{kind}"


def live_filter(job_id: JobId) -> str:
    """All live messages of one job."""
    return f"{LIVE_PREFIX}.{job_id}.*"


def job_control(job_id: JobId) -> str:
    """Where the owner of a running job listens for cancel and watch."""
    return f"{CONTROL_PREFIX}.job.{job_id}"


def plugin_control(name: str) -> str:
    """Where every runner listens for the reload of a plugin."""
    return f"{CONTROL_PREFIX}.plugin.{name}"


def job_folder(job_id: JobId) -> str:
    """The folder in the store that holds everything of one job; ends with a slash."""
    return f"jobs/{job_id}/"


def input_blob(job_id: JobId) -> str:
    """The media as it was uploaded."""
    return f"jobs/{job_id}/input"


def segment_folder(job_id: JobId) -> str:
    """The folder of row segments; ends with a slash."""
    return f"jobs/{job_id}/seg/"


def segment_blob(job_id: JobId, attempt: int, first_frame: int) -> str:
    """One segment of rows, made once and never changed."""
    return f"jobs/{job_id}/seg/{attempt}-{first_frame}"


def parse_segment(path: str) -> tuple[int, int]:
    """Give attempt and first frame of a segment's path.

    Raises:
        ValueError: the last part is not `<attempt>-<first frame>`.
    """
    attempt, _, first_frame = path.rpartition("/")[2].partition("-")
    return int(attempt), int(first_frame)


def result_blob(job_id: JobId, attempt: int) -> str:
    """The result document with the rows that fit inline (JSON).

    It bears the attempt that made it, so that one which lost the job meanwhile can not overwrite what counts.
    """
    return f"jobs/{job_id}/result-{attempt}.json"


def result_rows_blob(job_id: JobId, attempt: int) -> str:
    """All rows of a completed job: the segments' zstd frames one behind the other, as this attempt merged them."""
    return f"jobs/{job_id}/result-{attempt}.jsonl.zst"


def warnings_blob(job_id: JobId, attempt: int) -> str:
    """The warnings one attempt knew of when they did not all fit into the record (JSON: [[index, warning], ...])."""
    return f"jobs/{job_id}/warnings-{attempt}.json"


def record_blob(job_id: JobId) -> str:
    """The record as it stood at the ending; every view can be rebuilt from it."""
    return f"jobs/{job_id}/record.json"


def annotated_blob(job_id: JobId) -> str:
    """The input with the boxes drawn into it (MP4), made when it is first asked for; can be made again."""
    return f"jobs/{job_id}/result.mp4"
