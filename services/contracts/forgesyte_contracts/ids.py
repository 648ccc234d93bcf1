"""Identifiers, and the only place that makes and checks them.

Ids travel in bus subjects and blob paths, so none may contain a dot, a star, `>`, a slash or a space.
"""

import re
import secrets
import time
import uuid
from typing import Annotated, NewType

from pydantic import StringConstraints, WithJsonSchema

JobId = NewType("JobId", str)
"""A UUIDv7 in its canonical text form: sorting by id is sorting by time of creation."""

JobIdText = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""A job id in an HTTP body or query: a plain string that schemas describe as a UUID. parse_job_id() checks it."""

PluginName = NewType("PluginName", str)
"""The name of an installed plugin, `^[a-z0-9_-]+$`."""

RunnerId = NewType("RunnerId", str)
"""One life of one plugin-runner process: a restarted runner has a new id and cannot pass for the old owner of a job."""

NAME_PATTERN = r"^[a-z0-9_-]+$"
NameText = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=64)]

_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Return whether `text` may name a plugin or a tool (1 to 64 characters of `a-z 0-9 _ -`)."""
    return len(text) <= 64 and _NAME.match(text) is not None and "\n" not in text


def new_job_id(*, time_ms: int | None = None) -> JobId:
    """Make a job id.

    Args:
        time_ms: milliseconds since 1970 UTC; None means now.

    Returns:
        A UUIDv7 as text (RFC 9562, section 5.7: 48 bits of time, then version, variant and random bits).
    """
    stamp = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    value = (stamp & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return JobId(str(uuid.UUID(int=value)))


def parse_job_id(text: str) -> JobId:
    """Check a job id that came from outside and return its canonical form.

    Raises:
        ValueError: `text` is not a UUID in its 36 character form.
    """
    if len(text) != 36:
        raise ValueError(f"expected a UUID of 36 characters, found {len(text)}")
    return JobId(str(uuid.UUID(text)))


def new_runner_id(host: str) -> RunnerId:
    """Make the id of one life of a runner from its host's name, without the characters an id may not contain."""
    name = re.sub(r"[^a-z0-9_-]+", "-", host.lower()).strip("-")[:40] or "runner"
    return RunnerId(f"{name}-{secrets.token_hex(4)}")
