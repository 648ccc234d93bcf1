"""What a sandbox may use: seconds per step, bytes of memory, bytes of output per frame. One frozen value per run.

The defaults are the contract's (section 9); services override them with their settings and the plugin's own limits.
Limits that are not above zero are refused, so that no caller switches a guard off by mistake.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

MIB = 1 << 20

MAX_MANIFEST_BYTES = 128 * 1024
"""Of one plugin's manifest as JSON: a runner sends those of all its plugins in one message on the bus."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run.

    Attributes:
        frame_timeout_s: seconds for `prepare`, for each frame and for each decode step.
        load_timeout_s: seconds for import, construct, validate and load together.
        finalize_timeout_s: seconds for all `finalize` calls.
        probe_timeout_s: seconds for examining a file before its job is accepted.
        job_timeout_s: seconds for the whole run, waiting for a slow reader included.
        memory_bytes: what the processes of the run may use above their state after load.
        load_memory_bytes: what they may use above the clean fork until loading has ended.
        output_bytes: JSON bytes of one frame's row.
        decode_ahead_frames: decoded frames that may wait for the tools.
        decode_ahead_large_frames: the same for frames of 1920 x 1080 pixels or more.
        decode_ahead_bytes: bytes of pixels that may wait; one frame always may.
        processes: processes and threads the run may add; the kernel does not enforce it for root.
        scratch_bytes: what the run may keep on disk, and the size of its largest file.
        scratch_files: files and folders that it may keep there.
        open_files: descriptors that one of its processes may have open.
    """

    frame_timeout_s: float = 60
    load_timeout_s: float = 120
    finalize_timeout_s: float = 60
    probe_timeout_s: float = 10
    job_timeout_s: float = 6 * 3600
    memory_bytes: int = 1024 * MIB
    load_memory_bytes: int = 4096 * MIB
    output_bytes: int = MIB
    decode_ahead_frames: int = 8
    decode_ahead_large_frames: int = 4
    decode_ahead_bytes: int = 64 * MIB
    processes: int = 512
    scratch_bytes: int = 2048 * MIB
    scratch_files: int = 20_000
    open_files: int = 512

    def __post_init__(self) -> None:
        if wrong := [field.name for field in fields(self) if not getattr(self, field.name) > 0]:
            raise ValueError(f"limits must be above 0, found otherwise: {', '.join(wrong)}")

    def as_dict(self) -> dict[str, Any]:
        """Return the limits as plain JSON, to be sent to the child."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Take limits back from as_dict().

        Raises:
            TypeError: an unknown name.
            ValueError: a limit that is not above zero.
        """
        return cls(**facts)
