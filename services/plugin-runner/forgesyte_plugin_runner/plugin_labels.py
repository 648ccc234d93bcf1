"""Which plugins have a label of their own in the metrics."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from forgesyte_chassis.metrics import OTHER

MAX_NAMED = 100
"""Plugins beyond this number share one label."""


@dataclass(slots=True)
class PluginLabels:
    """Labels known plugins with their name and all others with `other`.

    Attributes:
        known: returns the names of the plugins this runner has.
    """

    known: Callable[[], Collection[str]]
    _named: set[str] = field(default_factory=set)

    def of(self, plugin: str) -> str:
        """Return the label of a plugin; a name keeps its label once it has one, so that its series continue."""
        if plugin in self._named:
            return plugin
        if len(self._named) >= MAX_NAMED or plugin not in self.known():
            return OTHER
        self._named.add(plugin)
        return plugin
