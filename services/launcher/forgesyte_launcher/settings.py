"""The settings of the command itself; the services it starts have their own (FORGESYTE_JOB_API_, FORGESYTE_RUNNER_)."""

from typing import Literal

from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import ServiceSettings


class LauncherSettings(ServiceSettings):
    """Settings of the launcher; environment variables carry the prefix FORGESYTE_LAUNCHER_.

    bus_url and store_url are not used: the launcher makes its own bus and keeps blobs in the data folder.
    """

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_LAUNCHER_", frozen=True, use_attribute_docstrings=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """What is written to stderr. The terminal belongs to the user; -v shows INFO and the children's logs."""
