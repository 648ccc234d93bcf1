"""The settings of the inspector: environment variables `FORGESYTE_INSPECTOR_*`, read once in __main__ and passed down.

The defaults suit the one-box run; the periods are settings so that tests can shorten them.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forgesyte_chassis.settings import PublicSettings


class InspectorSettings(PublicSettings):
    """The inspector's own settings, beside those that every service has."""

    model_config = SettingsConfigDict(env_prefix="FORGESYTE_INSPECTOR_", frozen=True, use_attribute_docstrings=True)

    port: int = Field(default=8002, ge=0, le=65535)
    """The public port; 0 takes any free one."""

    look_every_s: float = Field(default=1.0, gt=0, le=2.0)
    """Seconds between two checks of the runners; at most the period of their heartbeats, so that none is missed."""

    lost_after_s: float = Field(default=15.0, gt=8.0, le=20.0)
    """Seconds of silence after which a runner is lost, even when the bus is down. The bus usually notices earlier: it
    forgets a heartbeat after 8 s."""

    lost_kept_s: float = Field(default=600.0, ge=0)
    """Seconds for which a lost runner is still shown, as lost. 0 shows none."""

    settle_s: float = Field(default=10.0, ge=0)
    """Seconds for which the bucket may disagree with a living plugin before it is written again. Replicas hear of a
    change at slightly different moments; without the pause the slower one would write the old state back."""

    counts_every_s: float = Field(default=30.0, ge=0)
    """Seconds between two writes of a plugin when only its counts and times changed."""
