"""Settings that all services share: message broker, store, ops port, log, drain limit and keys.

Each service subclasses ServiceSettings once, sets its own `env_prefix` (`FORGESYTE_JOB_API_`, `FORGESYTE_RUNNER_`),
reads it once in its `__main__` and passes it down; nothing reads the environment later. The defaults suit the
one-box run: no variable is needed. Settings cannot be changed after they were read.
"""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """The settings that all services share; a variable's name is the prefix and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="FORGESYTE_", frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True
    )

    bus_url: str = "nats://127.0.0.1:4222"
    """URL of the message broker (NATS); separate several servers with commas."""

    bus_token: SecretStr | None = None
    """Token for the message broker (NATS). None: it requires none, as in the one-box run, where it is on loopback."""

    store_url: str = "./forgesyte-data/store"
    """Where media and results are stored: a folder, `file:///...`, or an object store (`s3://bucket/prefix`)."""

    ops_host: str = "127.0.0.1"
    """Address the ops port listens on. Loopback on one machine; `0.0.0.0` in a pod, behind a network policy."""

    ops_port: int = Field(default=9000, ge=-1, le=65535)
    """Port of /livez, /readyz and /metrics. 0 picks a free port, -1 disables it. The default is the same for every
    service, because each has its own address in its pod; two services on one machine need different ports."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """Format of the log lines on stderr: `auto` means coloured text on a terminal and JSON elsewhere."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level that is logged; INFO describes a job in about five lines."""

    drain_s: float = Field(default=30.0, ge=0)
    """How long running work may continue after a stop was requested, in seconds. 0 stops immediately."""

    api_keys: Annotated[tuple[str, ...], NoDecode] = ()
    """API keys and their scopes, `name:scope+scope:sha256hex`, separated by commas. Empty: no key is needed, and the
    service listens on loopback only."""

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(entry for entry in value.replace(",", " ").split() if entry)


class PublicSettings(ServiceSettings):
    """The settings of a service with a public port; each service gives `port` a default of its own."""

    host: str = "127.0.0.1"
    """Address the public port listens on. Anything but loopback requires at least one API key."""

    port: int = Field(ge=0, le=65535)
    """The public port; 0 picks a free one."""
