"""What every process can be told: where the bus and the store are, the ops port, the log, the drain, the keys.

Each service subclasses ServiceSettings once, gives its own `env_prefix` (`FORGESYTE_JOB_API_`, `FORGESYTE_RUNNER_`),
reads it once in its `__main__` and passes it down; nothing reads the environment later. The defaults are the one-box
run: no variable is needed. It refuses to be changed after it was read.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """The settings of every process; a variable's name is the prefix and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="FORGESYTE_", frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True
    )

    ops_host: str = "127.0.0.1"
    """Where the ops port listens. Loopback on one box; `0.0.0.0` in a pod, behind a network policy."""

    ops_port: int = Field(default=9000, ge=-1, le=65535)
    """The port of /livez, /readyz and /metrics. 0 takes any free one, -1 switches it off. The same for every service,
    because each has an address of its own in its pod; of two on one machine one has to be told another."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """How lines are written to stderr: `auto` is colour on a terminal and JSON elsewhere."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is written; INFO tells a job's story in about five lines."""

    drain_s: float = Field(default=30.0, ge=0)
    """How long running work may go on after a stop was asked for, in seconds. 0 stops at once."""


class ServiceSettings(ProcessSettings):
    """What every service also needs: the bus, the store and the keys."""

    bus_url: str = "nats://127.0.0.1:4222"
    """Where the NATS server listens; several servers are separated by commas."""

    bus_token: SecretStr | None = None
    """The token the bus asks for. None: the bus asks for none, as on one box, where it listens on loopback."""

    store_url: str = "./forgesyte-data/store"
    """Where media and results are kept: a folder, `file:///...`, or an object store (`s3://bucket/prefix`)."""

    api_keys: Annotated[tuple[str, ...], NoDecode] = ()
    """Who may do what: `name:scope+scope:sha256hex`, separated by commas. Empty: open, and then on loopback only."""

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(entry for entry in value.replace(",", " ").split() if entry)


class PublicSettings(ServiceSettings):
    """What a service is told that answers on a public port; each gives `port` a default that no other has."""

    host: str = "127.0.0.1"
    """Address of the public port. Anything but loopback needs at least one key."""

    port: int = Field(ge=0, le=65535)
    """The public port; 0 takes any free one."""


def env_name(model: type[BaseSettings], field: str) -> str:
    """Return the environment variable from which `model` reads `field`.

    Raises:
        ValueError: the model has no such field.
    """
    _require(model, field)
    return f"{model.model_config.get('env_prefix', '')}{field}".upper()


def env_of(model: type[BaseSettings], **values: str | float) -> dict[str, str]:
    """Return the environment variables that give `model` these values.

    Raises:
        ValueError: the model has no such field.
    """
    return {env_name(model, field): str(value) for field, value in values.items()}


def settings_with[SettingsT: BaseSettings](
    model: type[SettingsT],
    **values: Any,  # noqa: ANN401 - the model checks them
) -> SettingsT:
    """Read settings from the environment, except those that are given.

    Raises:
        ValueError: the model has no such field, which the model itself would ignore; or a value is invalid.
    """
    for field in values:
        _require(model, field)
    return model(**values)


def _require(model: type[BaseSettings], field: str) -> None:
    if field not in model.model_fields:
        raise ValueError(f"{model.__name__} has no setting {field!r}; it has {', '.join(model.model_fields)}")
