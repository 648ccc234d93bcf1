"""Settings that every process can have: message broker, store, ops port, log, drain limit and keys.

Each service subclasses ServiceSettings once, sets its own `env_prefix` (`FORGESYTE_JOB_API_`, `FORGESYTE_RUNNER_`),
reads it once in its `__main__` and passes it down; nothing reads the environment later. The defaults suit the
one-box run: no variable is needed. Settings cannot be changed after they were read.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .origins import read_host, read_origin

Words = Annotated[tuple[str, ...], NoDecode]
"""A setting that is a list: its entries are separated by commas or spaces."""


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class ProcessSettings(BaseSettings):
    """The settings of every process; a variable's name is the prefix and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="FORGESYTE_", frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True
    )

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

    allowed_hosts: Words = ()
    """Further names under which a port on loopback may be reached, `NAME` or `NAME:PORT`, separated by commas: for a
    proxy on this machine that passes on the `Host` it was asked for. A port on loopback otherwise answers `localhost`,
    127.0.0.0/8 and `[::1]` only, so that a page whose name was made to point here gets nothing. Empty: no others. A
    port bound elsewhere answers to any name."""

    allowed_origins: Words = ()
    """Pages that may use this service from a browser although they come from elsewhere, `SCHEME://NAME` or
    `SCHEME://NAME:PORT` as the browser's `Origin` has it, separated by commas: for the development server of a page.
    They may read answers (CORS), and they may submit, cancel, reload and open sockets. Empty: only pages that this
    service serves itself."""

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return _words(value)

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if read_host(entry) is None or "*" in entry:
                raise ValueError(f"{entry[:80]!r} is not a name; expected NAME or NAME:PORT, as in box.example.org")
        return entries

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if read_origin(entry) is None or "*" in entry:
                raise ValueError(
                    f"{entry[:80]!r} is not an origin; expected SCHEME://NAME:PORT without a path and without *, "
                    "as in http://localhost:5173"
                )
        return entries


class ServiceSettings(ProcessSettings):
    """What every service also needs: the bus, the store and the keys."""

    bus_url: str = "nats://127.0.0.1:4222"
    """URL of the message broker (NATS); separate several servers with commas."""

    bus_token: SecretStr | None = None
    """Token for the message broker (NATS). None: it requires none, as in the one-box run, where it is on loopback."""

    store_url: str = "./forgesyte-data/store"
    """Where media and results are stored: a folder, `file:///...`, or an object store (`s3://bucket/prefix`)."""

    bus_dir: str | None = None
    """The folder in which the message broker (NATS) keeps its data, where that is on this machine: the disk below it is
    watched too. `forgesyte up` sets it."""

    min_free_bytes: int | None = Field(default=None, ge=0)
    """Bytes that stay free on each disk that the service writes to: the store's folder, the scratch folder and bus_dir.
    With less, submits are refused with 503 STORAGE_FULL and no job is begun; running jobs go on. None: the smaller of
    256 MiB and 5 % of the disk. 0 keeps none."""

    api_keys: Words = ()
    """API keys and their scopes, `name:scope+scope:sha256hex`, separated by commas. Empty: no key is needed, and the
    service listens on loopback only."""

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)


class ConnectionSettings(ProcessSettings):
    """The limits of a public port: none of its clients may keep the others out."""

    max_connections: int = Field(default=4000, ge=1)
    """How many connections the public port holds at once. At the limit a new one takes the place of the one that has
    waited longest for its client's request; where all are busy it is answered 503. The process raises its own limit of
    file descriptors as far as `ulimit -Hn` allows, and keeps 256 of them for itself."""

    max_connections_per_address: int = Field(default=2000, ge=0)
    """How many of them may come from one address; 0 switches this limit off. Behind a proxy every connection comes from
    the proxy's address: set 0 there and let the proxy limit its clients."""

    head_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that a client has to send the head of a request, however it spreads the bytes."""


class PublicSettings(ServiceSettings, ConnectionSettings):
    """The settings of a service with a public port; each service gives `port` a default of its own."""

    host: str = "127.0.0.1"
    """Address the public port listens on. Anything but loopback requires at least one API key."""

    port: int = Field(ge=0, le=65535)
    """The public port; 0 picks a free one."""


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
