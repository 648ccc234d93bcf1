"""The settings of job-api: environment variables `FORGESYTE_JOB_API_*`, read once in __main__ and passed down.

The defaults are the one-box run; the periods of the reconciler are settings so that tests can shorten them.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import ServiceSettings


class JobApiSettings(ServiceSettings):
    """What job-api can be told beside the settings every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_JOB_API_", frozen=True, use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address of the public port. Anything but loopback needs at least one key."""

    port: int = Field(default=8000, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    max_upload_bytes: int = Field(default=2 * 1024**3, ge=1)
    """Largest media in bytes; more is refused with 413. The default holds an hour of ordinary 1080p video."""

    upload_idle_s: float = Field(default=60.0, gt=0)
    """How many seconds an upload may stand still before it is given up and its bytes are dropped."""

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
