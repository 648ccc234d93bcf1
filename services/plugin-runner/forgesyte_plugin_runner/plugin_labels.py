"""Which plugins have a label of their own in the metrics."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from forgesyte_chassis.metrics import OTHER

MAX_NAMED = 100
"""More plugins than this are not told apart."""


@dataclass(slots=True)
class PluginLabels:
    """Names known plugins by their name, the others `other`.

    Attributes:
        known: gives the names of the plugins that this runner has.
    """

    known: Callable[[], Collection[str]]
    _named: set[str] = field(default_factory=set)

    def of(self, plugin: str) -> str:
        """The label of a plugin; once a name has one it keeps it, so that its series go on."""
        if plugin in self._named:
            return plugin
        if len(self._named) >= MAX_NAMED or plugin not in self.known():
            return OTHER
        self._named.add(plugin)
        return plugin
