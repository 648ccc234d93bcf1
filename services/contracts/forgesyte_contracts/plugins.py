"""What a plugin declares about itself (manifest) and what runners report about it (state, health).

A manifest crosses from a sandbox to its parent as JSON only; the parent validates it with these models and never sees
the class behind it.
"""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from .ids import NameText
from .jobs import Moment

ENTRY_POINT_GROUP = "forgesyte.plugins"

_SEMVER = r"^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$"
SemVer = Annotated[str, StringConstraints(pattern=_SEMVER, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=4000)]


def _in_utc(moment: datetime) -> datetime:
    # A moment at the edge of the calendar has no UTC form: it is refused here, on arrival, and not when it is shown.
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected a moment that exists in UTC") from error


Seen = Annotated[Moment, AfterValidator(_in_utc)]
"""A moment that another process recorded, converted to UTC; without a zone it is taken as UTC."""

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A measured amount: finite and not negative."""


class PluginState(StrEnum):
    """The state of a plugin in one runner."""

    LOADED = "LOADED"
    INITIALIZED = "INITIALIZED"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    UNAVAILABLE = "UNAVAILABLE"

    @property
    def is_ready(self) -> bool:
        """Whether the plugin takes jobs."""
        return self in (PluginState.INITIALIZED, PluginState.RUNNING)

    @property
    def is_broken(self) -> bool:
        """Whether the plugin is unusable until it is reloaded."""
        return self in (PluginState.FAILED, PluginState.UNAVAILABLE)

    @property
    def rank(self) -> int:
        """Its rank among the states, 0 for the best: a plugin has the best state of its runners."""
        return _BEST_FIRST.index(self)


_BEST_FIRST = (
    PluginState.RUNNING,
    PluginState.INITIALIZED,
    PluginState.LOADED,
    PluginState.FAILED,
    PluginState.UNAVAILABLE,
)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Strict):
    """A model file the plugin needs: a regular file of at least 16 bytes, with this `sha256` (hex) when given."""

    name: str
    path: str
    sha256: str | None = None


class Requires(_Strict):
    """What the plugin needs before it can run. `packages` are import names."""

    gpu: bool = False
    packages: tuple[str, ...] = ()
    models: tuple[ModelFile, ...] = ()
    gpu_memory_bytes: int | None = Field(default=None, ge=0)


class PluginLimits(_Strict):
    """Limits a plugin asks for instead of the service's own: seconds per frame, bytes above the warm baseline.

    It gets more than the service's own up to the maximum its operator allows; beyond that it is UNAVAILABLE.
    """

    frame_timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    memory_bytes: int | None = Field(default=None, gt=0, le=1 << 40)


def _plain_path(path: str) -> str:
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts or not path.isprintable():
        raise ValueError(f"expected an absolute path without '..', found {path!r:.200}")
    return str(pure)


def _device_path(path: str) -> str:
    if len(PurePosixPath(path).parts) < 3 or not path.startswith("/dev/"):
        raise ValueError(f"expected the path of a device below /dev, found {path!r:.200}")
    return path


PlainPath = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_plain_path)]
"""An absolute path without `..`."""


class Permissions(_Strict):
    """What the plugin's code may use beyond its own packages, its model files and its folder, if the operator agrees.

    `read`: files and folders. `devices`: device files, which it may read, write and control.
    """

    read: tuple[PlainPath, ...] = Field(default=(), max_length=32)
    devices: tuple[Annotated[PlainPath, AfterValidator(_device_path)], ...] = Field(default=(), max_length=32)

    def __bool__(self) -> bool:
        return bool(self.read or self.devices)

    def __str__(self) -> str:
        """Return what is asked for, as a clause."""
        asked = (("to read", self.read), ("the devices", self.devices))
        return " and ".join(f"{verb} {', '.join(paths)}" for verb, paths in asked if paths) or "nothing"


PolicyWord = Literal["walled", "degraded", "off"]
"""walled: all that is required is in force. degraded: something required is missing, and the operator allowed it.
off: the operator switched the wall off."""


class SandboxPolicy(_Strict):
    """What holds a sandbox back, as the kernel reported it from inside a child before any plugin code ran.

    `landlock_abi` is the version of Landlock that is in force, 0 for none. `tcp` and `signals` name what keeps plugin
    code from other hosts and from the processes of others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    word: PolicyWord
    """How much of the wall stands, in a word."""

    landlock_abi: int = Field(default=0, ge=0)
    landlock_handles: tuple[str, ...] = ()
    """The rights that Landlock decides on, by the kernel's names in lower case."""

    seccomp: bool = False
    no_new_privs: bool = False
    tcp: Literal["landlock and seccomp", "seccomp", "nothing"] = "nothing"
    signals: Literal["landlock", "uid", "seccomp", "nothing"] = "nothing"
    uid: int = Field(default=0, ge=0)
    uid_is_exclusive: bool = False
    """Whether no other sandbox and no service runs under this uid."""

    no_uid: Text | None = None
    """Why sandboxes have no uid of their own, as a clause; null where they have one."""

    searches: bool = False
    """Whether it keeps the capability to read through folders that are closed to others (CAP_DAC_READ_SEARCH)."""

    dumpable: bool = False
    dies_with_parent: bool = False
    limits: dict[str, int] = Field(default_factory=dict)
    """The hard resource limits (RLIMIT_*), by their names in lower case; a limit that is not set is missing."""

    gaps: tuple[Text, ...] = ()
    """What else is weaker here than it could be, each as a sentence with its remedy."""


class ToolManifest(_Strict):
    """One tool: its inputs, and the JSON Schemas of its options and of its output for one frame."""

    name: NameText
    aliases: tuple[NameText, ...] = ()
    title: Text = ""
    description: Text = ""
    inputs: tuple[Literal["image", "video"], ...] = ("video",)
    options_schema: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] = Field(default_factory=dict)


class PluginManifest(_Strict):
    """What a plugin declares about itself; a sandbox reads it once when the runner starts."""

    name: NameText
    version: SemVer
    description: Text = ""
    author: Text = ""
    license: Text = ""
    capabilities: tuple[str, ...] = ()
    tools: tuple[ToolManifest, ...] = Field(min_length=1)
    latency_budget_ms: float | None = Field(default=None, gt=0)
    requires: Requires = Requires()
    limits: PluginLimits = PluginLimits()
    permissions: Permissions = Permissions()
    isolation: Literal["job", "plugin"] = "job"
    stateful: bool = False

    @model_validator(mode="after")
    def _names_are_unique(self) -> "PluginManifest":
        names = [name for tool in self.tools for name in (tool.name, *tool.aliases)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each tool name and alias must be unique; found twice: {', '.join(twice)}")
        return self

    def tool(self, name: str) -> ToolManifest | None:
        """Return the tool with this name or alias; None when there is none."""
        for tool in self.tools:
            if name == tool.name or name in tool.aliases:
                return tool
        return None


class PluginOnRunner(BaseModel):
    """One plugin as one runner sees it. `manifest` is None when it could not be read, for the `reason` given."""

    model_config = ConfigDict(frozen=True)

    name: NameText
    state: PluginState
    state_since: Seen | None = None
    """Since when it is in this state here; None from a runner of an older version."""

    reason: Text | None = None
    manifest: PluginManifest | None = None
    success_count: int = 0
    """Jobs that it completed here."""

    error_count: int = 0
    """Jobs that it failed here."""

    uptime_seconds: Amount | None = None
    """Seconds since it was ready here; None while it is not."""

    last_used: Seen | None = None
    """When a job last used it here."""

    last_execution_time_ms: Amount | None = None
    """Milliseconds its last frame took here."""

    avg_execution_time_ms: Amount | None = None
    """Milliseconds per frame: the mean of its last 10 here."""


class PluginRunner(BaseModel):
    """The state of a plugin in one runner."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    runner_id: str
    state: PluginState
    state_since: Seen | None = None
    """Since when it is in this state there; null when the runner does not say."""

    reason: str | None = None
    policy: PolicyWord | None = None


class PluginHealth(BaseModel):
    """The health of a plugin over all living runners. A broken plugin is data here: its state and the reason."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    name: NameText
    version: str | None = None
    """None when the manifest could not be read."""

    description: str = ""
    state: PluginState
    """The best state among the living runners; the last known state when none has the plugin."""

    reason: str | None = None
    """What is wrong and how to fix it; null when nothing is."""

    uptime_seconds: Amount | None = None
    """Seconds for which the longest ready runner has been ready; null when none is."""

    last_used: Seen | None = None
    """When a job last used it."""

    success_count: int = 0
    """Jobs completed, summed over the living runners."""

    error_count: int = 0
    """Jobs failed, summed over the living runners."""

    last_execution_time_ms: Amount | None = None
    """Milliseconds the last frame took."""

    avg_execution_time_ms: Amount | None = None
    """Milliseconds per frame: the mean of the last 10."""

    permissions: Permissions = Permissions()
    """What its code may use beyond its own packages, its model files and its folder; the operator allowed it if the
    plugin is usable."""

    policy: SandboxPolicy | None = None
    """What holds its sandboxes back on the runner in the best state; null when no living runner has it."""

    runners: tuple[PluginRunner, ...] = ()
    """Each living runner that has it; `policy` is how much of the wall stands there, in a word."""


PluginHealthResponse = PluginHealth
"""The name that older clients use."""


class KnownPlugin(BaseModel):
    """What the bucket `plugins` stores of a plugin, so that it is still known when its pool has no runner.

    `health` is stored without what only a living runner has: its state is never RUNNING, it has no uptime and no
    runners.
    """

    model_config = ConfigDict(frozen=True)

    manifest: PluginManifest | None = None
    health: PluginHealth
    updated_at: Seen
