"""The settings of job-api: environment variables `FORGESYTE_JOB_API_*`, read once in __main__ and passed down.

The defaults are the one-box run; the periods of the reconciler are settings so that tests can shorten them.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import PublicSettings
from forgesyte_chassis.store.blobs import folder_of
from forgesyte_sandbox.parent.wall.wall_settings import WallSettings
from forgesyte_sandbox.shared.specs import DECODE_MEMORY_BYTES, MediaLimits
from forgesyte_sandbox.shared.wall_rules import WallRules

_MEDIA = MediaLimits()


class JobApiSettings(PublicSettings, WallSettings):
    """The settings of job-api, beside those that every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_JOB_API_", frozen=True, use_attribute_docstrings=True)

    port: int = Field(default=8000, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    max_upload_bytes: int = Field(default=2 * 1024**3, ge=1)
    """Largest upload in bytes; a larger one is refused with 413. The default holds an hour of ordinary 1080p video."""

    upload_idle_s: float = Field(default=60.0, gt=0)
    """Seconds an upload may go without a byte before it is abandoned and what arrived is deleted."""

    scratch_dir: str = "./forgesyte-data/scratch"
    """Folder for uploads being probed and videos being drawn; needs 16 MiB per upload in progress, and for 4 retries.
    Each process uses a folder of its own in it, removed at exit; those of dead processes are removed at start."""

    probe_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that probing an upload may take before the upload is refused."""

    probes_at_once: int = Field(default=2, ge=1)
    """How many uploads are probed at the same time; each takes a core and up to probe_memory_bytes."""

    probe_wait_s: float = Field(default=60.0, gt=0)
    """Seconds an upload may wait to be probed, and a retry to be copied, before it is refused with 429."""

    probe_memory_bytes: int = Field(default=1024**3, ge=1)
    """Bytes of memory that probing an upload may use. As much as a job has by default: it decodes one picture, as a job
    would."""

    max_side_px: int = Field(default=_MEDIA.max_side_px, ge=1)
    """Longest side of a video in pixels."""

    max_image_pixels: int = Field(default=_MEDIA.max_image_pixels, ge=1)
    """Most pixels an image may have."""

    max_frames: int | None = Field(default=_MEDIA.max_frames, ge=1)
    """Most frames a video may announce. None sets no limit: rows and memory do not depend on it, only time does."""

    decode_memory_bytes: int = Field(default=DECODE_MEMORY_BYTES, ge=1)
    """Largest estimate of the memory that decoding needs, in bytes: what the runners allow a job."""

    analyze_wait_s: float = Field(default=30.0, gt=0)
    """Seconds that image/analyze waits for the job to end when the client does not send timeout_s."""

    annotate_timeout_s: float = Field(default=1800.0, gt=0)
    """Seconds that drawing the annotated video of one job may take, or making the copy of its input that browsers play.
    Usual speeds are 200 frames per second at 768 x 432 and 5 to 10 at 4K: with 25 frames per second in the video, the
    default is enough for four hours of the former and for six minutes of the latter."""

    annotate_at_once: int = Field(default=1, ge=1)
    """How many annotated videos are drawn at the same time; each takes a core, memory, and space in the scratch folder
    for input, rows and video."""

    playable_at_once: int = Field(default=1, ge=1)
    """How many copies that browsers play are made at the same time, beside the annotated videos; each takes a core,
    memory, and space in the scratch folder for input and copy. As many inputs that no job has decoded to the end, or
    not as they state, are decoded to judge whether they need one; others are judged as often at once as probing."""

    annotate_memory_bytes: int = Field(default=2 * 1024**3, gt=0)
    """Bytes of memory that making one of these videos may use. Decoding an accepted video may take 1 GiB; pictures and
    encoder take about 0.4 GiB at 4K."""

    max_pending_jobs: int = Field(default=100, ge=0)
    """Most jobs of one API key that may wait for a runner; more are refused with 429. If no key is configured, all
    callers count as one. 0 sets no limit."""

    max_options_bytes: int = Field(default=16 * 1024, ge=2)
    """Largest `options` in bytes of JSON. They are part of the record, which may have 64 KiB in all."""

    max_field_bytes: int = Field(default=64 * 1024, ge=1024)
    """Largest form field beside the media, in bytes."""

    history: int = Field(default=100, ge=0)
    """How many ended jobs stay in the list after their record has left the bus. 0 lists only the jobs on the bus."""

    inline_results_kept: int = Field(default=32, ge=0)
    """How many result documents (at most about 256 KiB each) are kept in memory for polling clients. 0 keeps none."""

    lookup_wait_s: float = Field(default=5.0, ge=0)
    """Seconds that the start, and a list requested right after it, waits for the first snapshot of the bus."""

    reconcile_every_s: float = Field(default=2.0, gt=0)
    """Seconds between two rounds of the reconciler."""

    resend_after_s: float = Field(default=10.0, ge=0)
    """Seconds without a change of the record after which a job's work message is checked; also the pause until the next
    check of the same job. As long as the queue's ack_wait, so that a normal hand-over is never disturbed."""

    judge_after_s: float = Field(default=30.0, ge=0)
    """Seconds the bus must have been connected before owners and runners are judged: right after an interruption all of
    them look dead."""

    judge_runners_after_s: float = Field(default=10.0, ge=0)
    """Seconds the bus must have been usable before /health says that runners are missing: a heartbeat lives for 8 s."""

    runner_grace_s: float = Field(default=120.0, ge=0)
    """Seconds for which jobs may wait for a pool without runners before /health is degraded: an autoscaler that held
    the pool at zero needs some time. Where the last runner fell silent without taking its leave, it is at once."""

    broken_plugin_s: float = Field(default=60.0, ge=0)
    """Seconds for which a plugin must be FAILED or UNAVAILABLE in every living runner before its pending jobs end."""

    absent_plugin_s: float = Field(default=24 * 3600.0, ge=0)
    """Seconds without a runner that offers its plugin after which a pending job ends, counted by this process."""

    record_copy_after_s: float = Field(default=5.0, ge=0)
    """Seconds after a job's end when record.json is written here if the service that ended the job has not."""

    purge_record_after_s: float = Field(default=3600.0, ge=0)
    """Seconds after a job's end when its record leaves the bus; record.json stays."""

    orphan_after_s: float = Field(default=24 * 3600.0, ge=0)
    """Age of the job id, in seconds, from which blobs without a record are removed. Generous, because the id is made
    when an upload begins and a slow line may take hours."""

    orphan_sweep_every_s: float = Field(default=3600.0, gt=0)
    """Seconds between two searches for such blobs; each lists the whole store."""

    health_kept_s: float = Field(default=2.0, ge=0)
    """Seconds for which the answer of /health is reused, so that clients may poll it as often as they like."""

    storage_limit_s: float = Field(default=2.0, gt=0)
    """Seconds that the store may take to answer the health check."""

    @property
    def scratch_path(self) -> Path:
        """The scratch folder as an absolute path: a sandbox has a working folder of its own."""
        return Path(self.scratch_dir).absolute()

    def own_wall(self) -> WallRules:
        """Return the rules of the wall, with the folders of this service."""
        return self.wall_rules(private=(self.scratch_path, *filter(None, (folder_of(self.store_url),))))
