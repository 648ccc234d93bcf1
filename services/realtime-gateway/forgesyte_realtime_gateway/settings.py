"""The settings of the realtime gateway: environment variables `FORGESYTE_GATEWAY_*`, read once in __main__.

The defaults are the contract's; the periods are settings so that tests can shorten them.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import PublicSettings


class GatewaySettings(PublicSettings):
    """What the gateway can be told beside the settings every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_GATEWAY_", frozen=True, use_attribute_docstrings=True)

    port: int = Field(default=8001, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    ping_every_s: float = Field(default=30.0, gt=0)
    """Seconds between two pings to a client."""

    silence_s: float = Field(default=60.0, gt=0)
    """Seconds after which a client of /v1/realtime that said nothing is closed: two pings without an answer."""

    stuck_s: float = Field(default=10.0, gt=0)
    """Seconds that one message may wait for a client to read; then the client is closed."""

    queue_messages: int = Field(default=256, ge=1)
    """How many messages that must arrive may wait for one client; one more and it is closed."""

    queue_bytes: int = Field(default=1_000_000, ge=1)
    """How many bytes may wait for one client in all."""

    session_capacity: int = Field(default=5, ge=1)
    """How many connections one session_id may hold on this gateway."""

    jobs_a_client: int = Field(default=256, ge=1)
    """How many jobs one connection may watch; each costs the bus a lease."""

    client_text_bytes: int = Field(default=64 * 1024, ge=128)
    """Longest client message that is read, in bytes; a longer one is answered as if it were not JSON."""

    single_watches: int = Field(default=256, ge=1)
    """Up to so many watched jobs have a live subscription each; above, one for all jobs costs less."""

    lease_every_s: float = Field(default=3.0, gt=0)
    """Seconds between two words to a job's runner that somebody watches; it forgets after 10 s."""

    reread_every_s: float = Field(default=10.0, gt=0)
    """Seconds between two readings of each watched record: a net under the feed."""

    retry_s: float = Field(default=0.5, gt=0)
    """Seconds until what the bus refused is tried again."""
