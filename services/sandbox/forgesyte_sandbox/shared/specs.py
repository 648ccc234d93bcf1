"""What each program of the sandbox is asked, typed on both sides of the pipe. Nothing heavy is imported here.

A spec crosses as plain JSON. read() refuses keys that no field has: a caller that sends one means something by it, and
would otherwise never learn that nothing reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .limits import MIB
from .wall_rules import Profile

if TYPE_CHECKING:
    from forgesyte_contracts.jobs import JobKind  # a fork needs none of the record's models

DECODE_MEMORY_BYTES = 1024 * MIB
"""What decoding may be estimated to need where nothing else is said."""


class SpecRefused(Exception):
    """A spec has a key that no field has, or lacks one that it must have; the text names it."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What all specs share. Subclasses are frozen dataclasses whose fields are the keys of the JSON.

    Attributes:
        PROGRAM: the module of `child.programs` that reads it.
        PROFILE: how narrow the wall around it is.
        FILES: the fields that hold paths of files which it reads.
        OUTPUTS: the fields that hold names of files which it leaves in its scratch folder.
    """

    PROGRAM: ClassVar[str] = ""
    PROFILE: ClassVar[Profile] = "plugin"
    FILES: ClassVar[tuple[str, ...]] = ()
    OUTPUTS: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Take a spec back from to_dict().

        Raises:
            SpecRefused: an unknown key, or a missing one.
        """
        return cls(**_known(cls, given))


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """How large media may be.

    Attributes:
        max_side_px: longest side of a video's pictures.
        max_image_pixels: width times height of an image.
        max_frames: frames of a video; None is any number.
        decode_memory_bytes: what the estimate for decoding may reach. None is DECODE_MEMORY_BYTES, or what a job may
            use in all where that is more.
    """

    max_side_px: int = 8192
    max_image_pixels: int = 50_000_000
    max_frames: int | None = None
    decode_memory_bytes: int | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Take limits back from their plain form.

        Raises:
            SpecRefused: an unknown key.
        """
        return cls(**_known(cls, given))


@dataclass(frozen=True, slots=True)
class _MediaSpec(Spec):
    media: MediaLimits = field(default_factory=MediaLimits, kw_only=True)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Take a spec back from to_dict(), its limits included.

        Raises:
            SpecRefused: an unknown key, or a missing one.
        """
        return cls(**_known(cls, {**given, "media": MediaLimits.read(given.get("media", {}))}))


@dataclass(frozen=True, slots=True)
class ManifestSpec(Spec):
    """Which plugin to read: `entry_point` is `package.module:Class`.

    `validates`: whether it is constructed and validated too, and not only asked for its manifest.
    """

    PROGRAM: ClassVar[str] = "manifest"

    entry_point: str
    validates: bool = True


@dataclass(frozen=True, slots=True)
class PolicySpec(Spec):
    """Report what holds this sandbox back."""

    PROGRAM: ClassVar[str] = "policy"


@dataclass(frozen=True, slots=True)
class WarmSpec(Spec):
    """Which plugin to load, and onto which device, before jobs come."""

    PROGRAM: ClassVar[str] = "warm"

    entry_point: str
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class JobSpec(_MediaSpec):
    """One job.

    Attributes:
        entry_point: the plugin, as `package.module:Class`.
        tools: names or aliases of its tools, in the order in which rows name them.
        input: path of the media.
        job_id: the job's.
        kind: what the media is.
        device: where the plugin is loaded.
        options: by tool; a tool that is not named has its defaults.
        skip_frames: indexes of frames that no tool is given.
        video_stream: index of the stream to decode; None leaves the choice.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "job"
    FILES: ClassVar[tuple[str, ...]] = ("input",)

    entry_point: str
    tools: Sequence[str]
    input: str
    job_id: str
    kind: "JobKind" = "video"
    device: str = "cpu"
    options: Mapping[str, Any] = field(default_factory=dict)
    skip_frames: Sequence[int] = ()
    video_stream: int | None = None

    def warm(self) -> WarmSpec:
        """Return what a warm sandbox loads before it can take this job."""
        return WarmSpec(self.entry_point, self.device)


@dataclass(frozen=True, slots=True)
class ProbeSpec(_MediaSpec):
    """Which file to examine before a job for it is accepted.

    Attributes:
        input: path of the file; never written to.
        kind: what the caller says it is.
        size_bytes: size of the whole file; None when all of it is there.
        holes: byte ranges [start, end) that were not kept; the file holds zeros there.
        video_stream: index of the stream that the job is to decode; None leaves the choice.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "probe"
    PROFILE: ClassVar[Profile] = "media"
    FILES: ClassVar[tuple[str, ...]] = ("input",)

    input: str
    kind: "JobKind" = "video"
    size_bytes: int | None = None
    holes: Sequence[Sequence[int]] = ()
    video_stream: int | None = None


@dataclass(frozen=True, slots=True)
class DecodeSpec(_MediaSpec):
    """Which file to decode and nothing else, as a job would, without a plugin.

    Attributes:
        input: path of the file.
        frames: how many frames are decoded at most.
        kind: what the media is.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "decode"
    PROFILE: ClassVar[Profile] = "media"
    FILES: ClassVar[tuple[str, ...]] = ("input",)

    input: str
    frames: int
    kind: "JobKind" = "video"


@dataclass(frozen=True, slots=True)
class AnnotateSpec(_MediaSpec):
    """Which video to draw.

    Attributes:
        input: path of the media, as the job had it.
        rows: path of the job's rows, JSON lines in frame order.
        tools: the job's, in its order.
        output: file name of the MP4 inside the scratch folder.
        kind: what the media is.
        video_stream: index of the stream that the job decoded; None leaves the choice.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "annotate"
    PROFILE: ClassVar[Profile] = "media"
    FILES: ClassVar[tuple[str, ...]] = ("input", "rows")
    OUTPUTS: ClassVar[tuple[str, ...]] = ("output",)

    input: str
    rows: str
    tools: Sequence[str]
    output: str
    kind: "JobKind" = "video"
    video_stream: int | None = None


PLAYABLE_RULES = 3
"""The number of the rules by which media are judged: higher with each change of a verdict, so that what earlier rules
said is not kept."""


@dataclass(frozen=True, slots=True)
class PlayableSpec(_MediaSpec):
    """Which media to judge: whether browsers show it as it is, with exactly the frames of the job.

    Attributes:
        input: path of the media, as the job had it.
        is_known_whole: whether a job has decoded all of it without damage or repair; else it is decoded here.
        kind: what the media is.
        video_stream: index of the stream that the job decodes; None leaves the choice.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "playable"
    PROFILE: ClassVar[Profile] = "media"
    FILES: ClassVar[tuple[str, ...]] = ("input",)

    input: str
    is_known_whole: bool = False
    kind: "JobKind" = "video"
    video_stream: int | None = None


@dataclass(frozen=True, slots=True)
class PlayableCopySpec(_MediaSpec):
    """Which media to copy into a file that browsers show.

    Attributes:
        input: path of the media, as the job had it.
        output: file name of the copy inside the scratch folder: an MP4, of an image a PNG.
        times: file name there of the copy's own times: microseconds of each frame, int64, little endian.
        kind: what the media is.
        video_stream: index of the stream that the job decodes; None leaves the choice.
        media: limits on what is decoded.
    """

    PROGRAM: ClassVar[str] = "playable_copy"
    PROFILE: ClassVar[Profile] = "media"
    FILES: ClassVar[tuple[str, ...]] = ("input",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("output", "times")

    input: str
    output: str
    times: str
    kind: "JobKind" = "video"
    video_stream: int | None = None


_ALL = (
    PolicySpec, ManifestSpec, WarmSpec, JobSpec, ProbeSpec, DecodeSpec, AnnotateSpec, PlayableSpec, PlayableCopySpec,
)  # fmt: skip
SPECS: dict[str, type[Spec]] = {spec.PROGRAM: spec for spec in _ALL}
"""Every program's spec, by the program's name."""


def _known(kind: type[Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    known = {each.name: each for each in fields(kind)}
    if unknown := sorted(given.keys() - known.keys()):
        text = f"{kind.__name__} has no key {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
        raise SpecRefused(text)
    required = (each for each in known.values() if each.default is MISSING and each.default_factory is MISSING)
    if missing := [each.name for each in required if each.name not in given]:
        raise SpecRefused(f"{kind.__name__} needs {', '.join(missing)}")
    return given
