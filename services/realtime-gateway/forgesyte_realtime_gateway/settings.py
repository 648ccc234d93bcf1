"""The settings of the realtime gateway: environment variables `FORGESYTE_GATEWAY_*`, read once in __main__.

The defaults are those that docs/realtime.md promises; the periods are settings so that tests can shorten them.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import PublicSettings


class GatewaySettings(PublicSettings):
    """The gateway's own settings, beside those that every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_GATEWAY_", frozen=True, use_attribute_docstrings=True)

    port: int = Field(default=8001, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    ping_every_s: float = Field(default=30.0, gt=0)
    """Seconds between two pings to a client."""

    silence_s: float = Field(default=60.0, gt=0)
    """Seconds of silence after which a client of /v1/realtime is closed: two pings without an answer."""

    stuck_s: float = Field(default=10.0, gt=0)
    """Seconds that a message may wait for its client to read it; after that the client is closed."""

    queue_messages: int = Field(default=256, ge=1)
    """How many messages that must arrive may wait for one client; one more closes it."""

    queue_bytes: int = Field(default=1_000_000, ge=1)
    """How many bytes may wait for one client in all."""

    session_capacity: int = Field(default=5, ge=1)
    """How many connections one session_id may hold on this gateway."""

    jobs_a_client: int = Field(default=256, ge=1)
    """How many jobs one connection may watch; each of them costs the bus a lease."""

    subscribe_burst: int = Field(default=512, ge=1)
    """How many jobs one connection may begin to watch at once, those it has left included; each costs the bus a read
    and a subscription. One more is refused with TOO_MANY_REQUESTS, and the socket stays open."""

    subscribe_per_s: float = Field(default=10.0, gt=0)
    """How many more jobs per second it may begin to watch after that."""

    client_text_bytes: int = Field(default=64 * 1024, ge=128)
    """The longest client message that is parsed, in bytes; a longer one is answered like text that is not JSON."""

    single_watches: int = Field(default=256, ge=1)
    """Up to this many watched jobs have a live subscription each; above it, one for all jobs is cheaper."""

    lease_every_s: float = Field(default=3.0, gt=0)
    """Seconds between two notices to a job's runner that the job is watched; the runner forgets one after 10 s."""

    reread_every_s: float = Field(default=10.0, gt=0)
    """Seconds between two reads of each watched record: a safety net under the feed."""

    retry_s: float = Field(default=0.5, gt=0)
    """Seconds until a request that the bus refused is retried."""
