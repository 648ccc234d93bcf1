"""What a plugin may say went wrong, and what the SDK says about a plugin that breaks the contract.

A plugin raises PluginUnavailable when something outside it is missing; every other exception of a plugin is a failure
of the plugin, whatever its class. So there are no more classes here.
"""

from collections.abc import Sequence


class PluginUnavailable(Exception):  # noqa: N818 - a state of the plugin, named like it; authors raise it by this name
    """Raised by `Plugin.validate` or `Plugin.load`: a thing that the plugin needs is not here.

    Attributes:
        reason: names the missing thing and the remedy; users read it as it is.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PluginContractError(TypeError):
    """A plugin class does not fit the contract; raised when the class is defined or its manifest is built.

    Attributes:
        plugin_class: the name of the class.
        problems: one sentence for each broken point, with what was found and what is expected.
    """

    def __init__(self, plugin_class: str, problems: Sequence[str]) -> None:
        self.plugin_class = plugin_class
        self.problems = tuple(problems)
        super().__init__(f"plugin class {plugin_class} breaks the plugin contract: " + "; ".join(problems))
