"""The error a plugin raises, and the error the SDK raises about a plugin that breaks the contract.

A plugin raises PluginUnavailable when something outside it is missing; every other exception of a plugin is a failure
of the plugin, whatever its class. So there are no more classes here.
"""

from collections.abc import Sequence


class PluginUnavailable(Exception):
    """Raise this from `Plugin.validate` or `Plugin.load` when something the plugin needs is missing.

    Attributes:
        reason: names what is missing and how to fix it; shown to users unchanged.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PluginContractError(TypeError):
    """A plugin class breaks the contract; raised when the class is defined or its manifest is built.

    Attributes:
        plugin_class: the name of the class.
        problems: one sentence per violation, with what was found and what is expected.
    """

    def __init__(self, plugin_class: str, problems: Sequence[str]) -> None:
        self.plugin_class = plugin_class
        self.problems = tuple(problems)
        super().__init__(f"plugin class {plugin_class} breaks the plugin contract: " + "; ".join(problems))
