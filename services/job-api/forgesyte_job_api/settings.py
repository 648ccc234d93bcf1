"""The settings of job-api: environment variables `FORGESYTE_JOB_API_*`, read once in __main__ and passed down.

The defaults are the one-box run; the periods of the reconciler are settings so that tests can shorten them.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import PublicSettings
from forgesyte_sandbox.shared.specs import DECODE_MEMORY_BYTES, MediaLimits

_MEDIA = MediaLimits()


class JobApiSettings(PublicSettings):
    """What job-api can be told beside the settings every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_JOB_API_", frozen=True, use_attribute_docstrings=True)

    port: int = Field(default=8000, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    max_upload_bytes: int = Field(default=2 * 1024**3, ge=1)
    """Largest media in bytes; more is refused with 413. The default holds an hour of ordinary 1080p video."""

    upload_idle_s: float = Field(default=60.0, gt=0)
    """How many seconds an upload may stand still before it is given up and its bytes are dropped."""

    scratch_dir: str = "./forgesyte-data/scratch"
    """Folder for what is looked at or drawn right now; needs room for 16 MiB an upload under way. Each process has its
    own folder in it, removed at exit; what dead ones left is swept at start."""

    probe_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that the look at an upload may take before the upload is refused."""

    probes_at_once: int = Field(default=2, ge=1)
    """How many uploads are looked at at the same time; each takes a core and up to probe_memory_bytes."""

    probe_wait_s: float = Field(default=60.0, gt=0)
    """Seconds an upload may wait for its turn to be looked at before the client is told to come back."""

    probe_memory_bytes: int = Field(default=1024**3, ge=1)
    """Bytes the look at an upload may use. As much as a job has by default: it decodes one picture, as a job would."""

    max_side_px: int = Field(default=_MEDIA.max_side_px, ge=1)
    """Longest side of a video in pixels."""

    max_image_pixels: int = Field(default=_MEDIA.max_image_pixels, ge=1)
    """Most pixels an image may have."""

    max_frames: int | None = Field(default=_MEDIA.max_frames, ge=1)
    """Most frames a video may announce. None sets no limit: rows and memory do not depend on it, only time does."""

    decode_memory_bytes: int = Field(default=DECODE_MEMORY_BYTES, ge=1)
    """Most memory that decoding may be estimated to need, in bytes: what the runners give a job."""

    analyze_wait_s: float = Field(default=30.0, gt=0)
    """Seconds that image/analyze waits for the job's end when the client does not say."""

    annotate_timeout_s: float = Field(default=1800.0, gt=0)
    """Seconds the annotated video of one job may take to be drawn. Some 200 frames a second of 768 x 432, 5 to 10 of
    4K are usual; the default holds hours of ordinary video."""

    annotate_at_once: int = Field(default=1, ge=1)
    """How many annotated videos are drawn at the same time; each takes a core, memory, and room in the scratch folder
    for input, rows and video."""

    annotate_memory_bytes: int = Field(default=2 * 1024**3, gt=0)
    """Bytes of memory the drawing of one video may take. Decoding what was accepted may take 1 GiB; pictures and
    encoder at 4K take some 0.4 GiB."""

    max_pending_jobs: int = Field(default=100, ge=0)
    """Most jobs of one API key that may wait for a runner; more are refused with 429. Where no key is configured all
    callers count as one. 0 sets no limit."""

    max_options_bytes: int = Field(default=16 * 1024, ge=2)
    """Largest `options` in bytes of JSON. They travel in the record, which has 64 KiB for everything."""

    max_field_bytes: int = Field(default=64 * 1024, ge=1024)
    """Largest form field beside the media, in bytes."""

    history: int = Field(default=100, ge=0)
    """How many ended jobs whose record has left the bus stay in the list. 0 lists only what the bus holds."""

    inline_results_kept: int = Field(default=32, ge=0)
    """How many result documents (at most some 256 KiB each) are kept in memory for polling clients. 0 keeps none."""

    lookup_wait_s: float = Field(default=5.0, ge=0)
    """How many seconds a start, and a list asked for right after it, waits for the first snapshot of the bus."""

    reconcile_every_s: float = Field(default=2.0, gt=0)
    """Seconds between two rounds of the reconciler."""

    resend_after_s: float = Field(default=10.0, ge=0)
    """A job whose record did not change for so many seconds gets its work message checked; also the pause until the
    next check of the same job. As long as the queue's ack_wait, so that a normal hand-over is never disturbed."""

    judge_after_s: float = Field(default=30.0, ge=0)
    """Seconds of unbroken bus before owners and runners are judged: after a pause of the bus all of them look dead."""

    broken_plugin_s: float = Field(default=60.0, ge=0)
    """A pending job ends after its plugin was FAILED or UNAVAILABLE in every living runner for so many seconds."""

    absent_plugin_s: float = Field(default=24 * 3600.0, ge=0)
    """A pending job ends after no runner offered its plugin for so many seconds, counted by this process."""

    record_copy_after_s: float = Field(default=5.0, ge=0)
    """How many seconds after the ending record.json is written if the one who ended the job did not."""

    purge_record_after_s: float = Field(default=3600.0, ge=0)
    """How many seconds after its ending a record leaves the bus; record.json stays."""

    orphan_after_s: float = Field(default=24 * 3600.0, ge=0)
    """Blobs whose job id is older than so many seconds and that no record knows are removed. Generous, because the
    id is made when an upload begins and a slow line may take hours."""

    orphan_sweep_every_s: float = Field(default=3600.0, gt=0)
    """Seconds between two searches for such blobs; each lists the whole store."""

    health_kept_s: float = Field(default=2.0, ge=0)
    """For how many seconds the answer of /health is reused, so that anybody may ask as often as they like."""

    storage_limit_s: float = Field(default=2.0, gt=0)
    """How many seconds the store may take to answer the health check."""

    @property
    def scratch_path(self) -> Path:
        """The scratch folder as an absolute path: a sandbox has a working folder of its own."""
        return Path(self.scratch_dir).absolute()
