"""The same plugins with `isolation: plugin`: `warm:deaths.segfaults` is `deaths:segfaults` in a warm sandbox."""

from importlib import import_module

from forgesyte_sdk import Plugin


class Warmed:
    """One module of this package; its plugins are given with the other isolation."""

    def __init__(self, module: str) -> None:
        self._module = import_module(f"forgesyte_misbehaving.{module}")

    def __getattr__(self, name: str) -> type[Plugin]:
        plugin = getattr(self._module, name)
        return type(plugin.__name__, (plugin,), {"isolation": "plugin"})


def __getattr__(name: str) -> Warmed:
    if name.startswith("_"):
        raise AttributeError(name)
    return Warmed(name)
