"""What the operator allows to reach a port beyond what is safe for all: names of this machine, origins of pages."""

from dataclasses import dataclass, field
from typing import Self

from forgesyte_chassis.origins import Host, read_host, read_origin
from forgesyte_chassis.settings import ProcessSettings, env_name

Origin = tuple[str, Host]


@dataclass(frozen=True, slots=True)
class AllowedPages:
    """The settings `allowed_hosts` and `allowed_origins` of a process, read.

    Attributes:
        hosts: names that a port on loopback answers to; one without a port stands for every port.
        origins: pages that may use the service from elsewhere.
        hosts_setting: how a refusal names the setting of the first.
        origins_setting: how a refusal names the setting of the second.
    """

    hosts: frozenset[Host] = frozenset()
    origins: frozenset[Origin] = frozenset()
    hosts_setting: str = field(default="allowed_hosts", compare=False)
    origins_setting: str = field(default="allowed_origins", compare=False)

    @classmethod
    def from_settings(cls, settings: ProcessSettings) -> Self:
        """Read what a process allows; a refusal then names its environment variables too."""
        model = type(settings)
        return cls(
            frozenset(filter(None, map(read_host, settings.allowed_hosts))),
            frozenset(filter(None, map(read_origin, settings.allowed_origins))),
            f"allowed_hosts ({env_name(model, 'allowed_hosts')})",
            f"allowed_origins ({env_name(model, 'allowed_origins')})",
        )

    def with_those_of(self, other: "AllowedPages") -> "AllowedPages":
        """Return what either allows; refusals name these settings."""
        return AllowedPages(
            self.hosts | other.hosts, self.origins | other.origins, self.hosts_setting, self.origins_setting
        )

    def has_host(self, host: Host) -> bool:
        """Whether a port on loopback may be reached under this name."""
        return host in self.hosts or Host(host.name) in self.hosts

    def has_origin(self, text: str) -> bool:
        """Whether the page with this `Origin` may use the service."""
        return read_origin(text) in self.origins
