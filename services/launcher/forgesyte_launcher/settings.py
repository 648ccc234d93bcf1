"""The settings of the command itself; the services it starts have their own (FORGESYTE_JOB_API_, FORGESYTE_RUNNER_)."""

from typing import Literal

from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import ConnectionSettings


class LauncherSettings(ConnectionSettings):
    """Settings of the launcher; environment variables carry the prefix FORGESYTE_LAUNCHER_.

    They hold no address of a bus or a store: the launcher starts its own bus and keeps everything in the data folder.
    """

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_LAUNCHER_", frozen=True, use_attribute_docstrings=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """The lowest level that is written to stderr, which the user's terminal shows; `up -v` sets INFO."""

    allow_degraded_sandbox: bool = False
    """Whether the services may start although this machine lacks a required part of the wall around plugin code; it is
    passed on to all of them. `--allow-degraded-sandbox` sets it; `forgesyte doctor` shows what is missing."""
