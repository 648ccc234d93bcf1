"""What an operator can configure about a runner; the defaults fit the one-box run.

Limits are spelled here as an operator thinks of them and passed to the sandbox as one value.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from forgesyte_chassis.settings import ServiceSettings
from forgesyte_chassis.store.blobs import folder_of
from forgesyte_sandbox.parent.wall.wall_settings import WallSettings
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import MediaLimits
from forgesyte_sandbox.shared.wall_rules import WallRules

from .suspects.door import Suspects

_MEDIA = MediaLimits()
_LIMITS = Limits()


def _cores() -> int:
    return max(1, len(os.sched_getaffinity(0)))


def _memory_bytes() -> int:
    """Return the memory of this machine, or what this container may use if that is less."""
    found = [psutil.virtual_memory().total]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # no cgroup of that kind, or "max"
            found.append(int(Path(file).read_text()))
    return min(found)


class RunnerSettings(ServiceSettings, WallSettings):
    """Settings of one runner; environment variables carry the prefix FORGESYTE_RUNNER_."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_RUNNER_", frozen=True, use_attribute_docstrings=True)

    ops_fd: int = Field(default=-1, ge=-1)
    """File descriptor of an inherited listening socket, used instead of the ops port. -1: none."""

    alive_fd: int = Field(default=-1, ge=-1)
    """File descriptor of an inherited page of memory in which the event loop notes twice a second that it turns. -1:
    none."""

    slots: int = Field(default_factory=_cores, ge=1, le=1024)
    """How many jobs run at once. The default is the number of cores this process may use: a job keeps one core busy."""

    suspects: Suspects = Suspects.ALONE
    """What this runner does with suspects, jobs that may have killed the zygote or a runner. `alone`: it takes one when
    it has no other job, and then nothing beside it. `never`: it leaves them to others, which must exist. `only`: it is
    a cell, which takes nothing else, with one slot."""

    gpu_slots: int = Field(default=1, ge=1)
    """How many of the jobs that run at once may use a GPU; two models on one card mostly wait for each other."""

    scratch_dir: str = "./forgesyte-data/scratch"
    """Folder for the media of running jobs; needs space for `slots` inputs. Each run of a runner has its own folder
    in it, which is removed at exit; what dead runners left behind is removed at start."""

    plugins: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of the plugins this runner offers, separated by commas. Empty: every installed one."""

    permitted_plugins: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of the plugins that may have what their manifests ask for under `permissions` (paths to read, devices),
    separated by commas. A plugin that asks for any and is not named here is UNAVAILABLE. The folders of the services
    stay closed to every plugin."""

    loads_at_once: int = Field(default=2, ge=1)
    """How many plugins are loaded at the same time at start; each keeps a core busy while it imports."""

    frame_timeout_s: float = Field(default=60, gt=0)
    """Seconds one frame may take (also prepare and each decode step) before the sandbox is killed as `timeout`."""

    load_timeout_s: float = Field(default=120, gt=0)
    """Seconds to import, construct, validate and load a plugin, together."""

    finalize_timeout_s: float = Field(default=60, gt=0)
    """Seconds a tool may take to finish after the last frame."""

    job_timeout_s: float = Field(default=6 * 3600, gt=0)
    """Seconds one attempt may take as a whole; long videos on slow plugins need more."""

    memory_bytes: int = Field(default=1 << 30, gt=0)
    """Bytes a job may use above what its sandbox needs when warm; beyond it the job ends as `oom`, the runner lives."""

    load_memory_bytes: int = Field(default=4 << 30, gt=0)
    """Bytes a plugin may use while it is imported and loads its models."""

    max_frame_timeout_s: float = Field(default=600, gt=0)
    """Seconds per frame that a plugin's manifest may ask for; a plugin that asks for more is UNAVAILABLE. A hang blocks
    a slot for that long, so the default is ten minutes and not the day that a manifest may state."""

    max_memory_bytes: int = Field(default_factory=lambda: _memory_bytes() // 2, gt=0)
    """Bytes per job that a plugin's manifest may ask for; a plugin that asks for more is UNAVAILABLE. The default is
    half of what this machine has or this container may use: beyond all of it the kernel would kill the runner and
    every job."""

    output_bytes: int = Field(default=1 << 20, gt=0)
    """Bytes of JSON the output of one frame may have."""

    scratch_bytes: int = Field(default=_LIMITS.scratch_bytes, gt=0)
    """Bytes a job may keep on disk in its scratch folder; no single file grows beyond it either. A job that writes more
    ends as failed with DISK_LIMIT. The scratch folder needs space for `slots` times this and the inputs."""

    scratch_files: int = Field(default=_LIMITS.scratch_files, gt=0)
    """Files and folders a job may keep in its scratch folder, so that no plugin uses up those of the file system."""

    open_files: int = Field(default=_LIMITS.open_files, gt=0)
    """Files and pipes each process of a job may have open; always fewer than the runner itself may have."""

    max_side_px: int = Field(default=_MEDIA.max_side_px, ge=1)
    """Longest side of a video in pixels. job-api has the same limits on media and applies them to the part of an
    upload it can see; the runner sees the whole file. Raise them in both."""

    max_image_pixels: int = Field(default=_MEDIA.max_image_pixels, ge=1)
    """Pixels an image may have at most."""

    max_frames: int | None = Field(default=_MEDIA.max_frames, ge=1)
    """Frames a video may announce at most. None sets no limit."""

    warm_idle_s: float = Field(default=600, gt=0)
    """Seconds after which a loaded sandbox without a job ends (plugins with `isolation: plugin`). Until then it holds
    the memory of its models; afterwards the next job waits until they are loaded again."""

    checkpoint_every_s: float = Field(default=2, gt=0)
    """Seconds after which new rows are written to the store at the latest."""

    checkpoint_rows: int = Field(default=200, ge=1)
    """Number of new rows after which they are written to the store at the latest."""

    progress_every_s: float = Field(default=1, gt=0)
    """Seconds between two writes of a job's progress while it advances by less than 5 percentage points."""

    store_call_s: float = Field(default=60, gt=0)
    """Seconds a single call to the store may take (a megabyte of a stream, a listing) before it counts as refused: a
    hanging network file system never answers. Not a limit on how long a whole transfer takes."""

    store_patience_s: float = Field(default=30, gt=0)
    """Seconds the store may refuse a job's writes before the job is given to another runner."""

    @field_validator("plugins", "permitted_plugins", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @property
    def scratch_path(self) -> Path:
        """The scratch folder as an absolute path: a sandbox has its own working folder."""
        return Path(self.scratch_dir).absolute()

    def own_wall(self) -> WallRules:
        """Return the rules of the wall, with the folders of this service."""
        return self.wall_rules(private=(self.scratch_path, *filter(None, (folder_of(self.store_url),))))

    def limits(self) -> Limits:
        """Return the limits of a sandbox, before a plugin's manifest asks for its own."""
        return Limits(
            frame_timeout_s=self.frame_timeout_s,
            load_timeout_s=self.load_timeout_s,
            finalize_timeout_s=self.finalize_timeout_s,
            job_timeout_s=self.job_timeout_s,
            memory_bytes=self.memory_bytes,
            load_memory_bytes=self.load_memory_bytes,
            output_bytes=self.output_bytes,
            scratch_bytes=self.scratch_bytes,
            scratch_files=self.scratch_files,
            open_files=self.open_files,
        )
