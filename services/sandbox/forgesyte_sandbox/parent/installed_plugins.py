"""Finds installed plugins by their entry points, without importing any of them.

An entry point is only text in a distribution's metadata; the class that it names is imported in a sandbox alone. When
two distributions offer one name, neither is used.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from forgesyte_contracts.ids import PluginName, is_name
from forgesyte_contracts.plugins import ENTRY_POINT_GROUP

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """One installed plugin: `entry_point` is `package.module:Class`, `distribution` is its name and version.

    `fault` says why it cannot be used; None when nothing speaks against it yet.
    """

    name: PluginName
    entry_point: str
    distribution: str
    fault: str | None = None


def find_plugins(only: Sequence[str] = (), *, installed: Iterable[EntryPoint] | None = None) -> list[FoundPlugin]:
    """List the installed plugins in the order of their names.

    Args:
        only: names to keep; empty keeps all. A name that no distribution offers is returned with a fault.
        installed: entry points to look at; None reads the metadata of this environment.
    """
    offers: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for point in entry_points(group=ENTRY_POINT_GROUP) if installed is None else installed:
        if is_name(point.name):
            offers[point.name].add((_distribution(point), point.value))
        else:
            log.warning("plugin name refused", extra={"plugin": point.name, "distribution": _distribution(point)})
    for missing in set(only) - set(offers):
        offers[missing] = set()
    return [_found(name, sorted(offers[name])) for name in sorted(offers) if not only or name in only]


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown distribution"


def _found(name: str, offers: list[tuple[str, str]]) -> FoundPlugin:
    if len(offers) == 1:
        distribution, value = offers[0]
        return FoundPlugin(PluginName(name), value, distribution)
    if not offers:
        fault = f"no installed distribution offers the plugin '{name}'; install it or remove it from the settings"
    else:
        named = " and ".join(f"{distribution} ({value})" for distribution, value in offers)
        fault = f"the name '{name}' is offered more than once, by {named}; uninstall all but one"
    return FoundPlugin(PluginName(name), "", ", ".join(distribution for distribution, _ in offers), fault)
