"""What GET /v1 answers: what a client has to know before it knows any key."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ServiceLimits(_Body):
    """What a submit may be at most; larger media is refused with MEDIA_TOO_LARGE."""

    upload_bytes: int = Field(ge=1)
    """Most bytes of an upload."""

    image_pixels: int = Field(ge=1)
    """Most pixels of an image."""

    video_side_px: int = Field(ge=1)
    """Most pixels of a video's longer side."""


class ServiceLinks(_Body):
    """Paths from which a client goes on."""

    openapi: str = "/openapi.json"
    """The description of the HTTP interface."""

    asyncapi: str = "/asyncapi.json"
    """The description of the realtime interface."""

    health: str = "/health"
    """Whether the service can do its work."""

    realtime: str = "/v1/realtime"
    """Live messages, over a WebSocket or as server-sent events."""


class ServiceFacts(_Body):
    """The service behind this address."""

    name: Literal["forgesyte"] = "forgesyte"
    """Always `forgesyte`, so that a client knows what it talks to."""

    version: str
    """The version of the service."""

    keys_required: bool
    """Whether every other route needs an API key, except health and the descriptions."""

    limits: ServiceLimits
    """How large media may be."""

    links: ServiceLinks
    """Paths of the service's descriptions, its health and its live messages."""
