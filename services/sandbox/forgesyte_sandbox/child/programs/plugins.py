"""Makes a plugin object and its tools, with typed options, from an entry point's text. Runs plugin code."""

from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sdk import Plugin, Tool


def import_plugin(entry_point: str) -> type[Plugin]:
    """Import the class that an entry point (`package.module:Class`) names.

    Raises:
        TypeError: it is not a Plugin class. What the import raises propagates.
    """
    module_name, _, attribute = entry_point.partition(":")
    found: Any = import_module(module_name)
    for name in attribute.split("."):
        found = getattr(found, name)
    if not (isinstance(found, type) and issubclass(found, Plugin)):
        raise TypeError(f"expected {entry_point} to be a class derived from forgesyte_sdk.Plugin, found {found!r:.200}")
    return found


def load_plugin(entry_point: str, device: str) -> Plugin:
    """Import, construct, validate and load a plugin; what it raises propagates."""
    plugin = import_plugin(entry_point)()
    plugin.validate()
    plugin.load(device)
    return plugin


def typed_options(tool: type[Tool[Any, Any]], given: dict[str, Any]) -> BaseModel:
    """Validate the options of one tool.

    Raises:
        Refusal: OPTIONS_INVALID, with the path of each wrong field.
    """
    try:
        return tool.Options.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, ('options', tool.name, *each['loc'])))}: {each['msg']}" for each in found)
        raise Refusal(Code.OPTIONS_INVALID, text, error_type="ValidationError") from None


def find_tool(plugin: type[Plugin], name: str) -> type[Tool[Any, Any]]:
    """Find a tool by id or alias.

    Raises:
        Refusal: TOOL_UNKNOWN, naming the tools that exist.
    """
    tool = plugin.tool(name)
    if tool is None:
        known = ", ".join(tool.name for tool in plugin.tools)
        text = f"plugin {plugin.name} has no tool {name!r}; it has {known}"
        raise Refusal(Code.TOOL_UNKNOWN, text, error_type="ToolUnknown")
    return tool
