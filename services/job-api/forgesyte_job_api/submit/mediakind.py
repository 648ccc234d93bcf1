"""The two kinds of media that a job can process, and how a client may send each."""

from dataclasses import dataclass

from forgesyte_contracts.jobs import JobKind
from forgesyte_contracts.media import ACCEPTED_MEDIA

OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MediaKind:
    """What an upload has to be. `accepted` says so in a clause, for refusals."""

    name: JobKind
    accepted: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The names that a form may give its media part; older clients send `file`."""
        return (self.name, "file")

    @property
    def how_to_send(self) -> str:
        """How a client sends it, as a clause."""
        raw = f"raw body with Content-Type {self.name}/* or {OCTETS}"
        return f"send the {self.name} as a {raw}, or as the form field `{self.name}`"

    def takes(self, media_type: str) -> bool:
        """Whether a raw body may have this Content-Type (lower case, without parameters)."""
        return media_type.startswith(f"{self.name}/") or media_type == OCTETS


VIDEO = MediaKind("video", ACCEPTED_MEDIA["video"])
IMAGE = MediaKind("image", ACCEPTED_MEDIA["image"])
