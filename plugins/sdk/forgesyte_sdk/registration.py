"""The contract check: what a Plugin class must be, in sentences for its author.

It is cheap on purpose (attributes only): it runs at each import, and a sandbox imports the plugin once per job.
"""

import inspect
import re
from typing import Any

from pydantic import BaseModel

from forgesyte_contracts.ids import NAME_PATTERN, is_name
from forgesyte_contracts.plugins import ToolManifest

from .plugin_facts import PluginFacts
from .tool import Tool, type_arguments

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


def problems_of_plugin(plugin: type[PluginFacts]) -> list[str]:
    """Return what is wrong with a Plugin class; empty when nothing is."""
    problems = _problems_of_name(plugin, "the plugin")
    version = getattr(plugin, "version", None)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        problems.append(f"`version` is {version!r}, expected SemVer such as '1.2.0'")
    if plugin.isolation not in ("job", "plugin"):
        problems.append(f"`isolation` is {plugin.isolation!r}, expected 'job' or 'plugin'")
    tools = getattr(plugin, "tools", None)
    if not isinstance(tools, tuple) or not tools:
        return [*problems, f"`tools` is {tools!r}, expected a tuple of one or more Tool classes"]
    for tool in tools:
        problems += _problems_of_tool(tool)
    return problems + ([] if problems else _names_twice(tools))


def tool_manifest(tool: type[Tool[Any, Any]]) -> ToolManifest:
    """Return the manifest of a tool, with the JSON Schemas of its options and of one frame's output.

    Raises:
        ValueError: a value is not allowed in a manifest.
        PydanticUserError: Options or Output hold a type that has no JSON Schema.
    """
    return ToolManifest(
        name=tool.name,
        aliases=tool.aliases,
        title=tool.title or tool.name,
        description=tool.description or (tool.__doc__ or "").strip(),
        inputs=tool.inputs,
        options_schema=tool.Options.model_json_schema(mode="validation"),
        output_schema=tool.Output.model_json_schema(mode="serialization"),
    )


def _problems_of_tool(tool: object) -> list[str]:
    if not (isinstance(tool, type) and issubclass(tool, Tool)):
        return [f"`tools` holds {tool!r}, expected a class derived from Tool"]
    who = f"tool class {tool.__qualname__}"
    problems = _problems_of_name(tool, who)
    problems += [f"{who}: {text}" for text in _problems_of_models(tool)]
    if tool.process_frame is Tool.process_frame and tool.process_batch is Tool.process_batch:
        problems.append(f"{who} has neither process_frame nor process_batch")
    problems += _problems_of_init(tool, who)
    if tool.snapshot is not Tool.snapshot and tool.restore is Tool.restore:
        problems.append(f"{who} has snapshot but no restore")
    if not isinstance(tool.inputs, tuple) or not tool.inputs or set(tool.inputs) - {"image", "video"}:
        problems.append(f"{who}: `inputs` is {tool.inputs!r}, expected a tuple of 'image', 'video' or both")
    return problems


def _problems_of_init(tool: type[Tool[Any, Any]], who: str) -> list[str]:
    if tool.__init__ is Tool.__init__:
        return []
    signature = inspect.signature(tool.__init__)
    try:
        signature.bind("self", "plugin", "options")
    except TypeError:
        expected = "expected (self, plugin, options); create what a job needs in prepare(job)"
        return [f"{who}: __init__ takes {signature}, {expected}"]
    return []


def _problems_of_models(tool: type[Tool[Any, Any]]) -> list[str]:
    problems = []
    for attribute, argument in zip(("Options", "Output"), type_arguments(tool) or (None, None), strict=False):
        model = getattr(tool, attribute, None)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            problems.append(f"`{attribute}` is {model!r}, expected a pydantic model class")
        elif isinstance(argument, type) and argument not in (model, BaseModel):
            problems.append(f"`{attribute}` is {model.__name__}, but Tool[...] names {argument.__name__}")
        elif attribute == "Options" and model.model_config.get("extra") != "forbid":
            problems.append(f"`Options` ({model.__name__}) must refuse unknown fields: derive it from ToolOptions")
    return problems


def _problems_of_name(named: object, who: str) -> list[str]:
    names = [getattr(named, "name", None), *getattr(named, "aliases", ())]
    return [
        f"{who}: name {name!r} should be 1 to 64 characters of {NAME_PATTERN}"
        for name in names
        if not (isinstance(name, str) and is_name(name))
    ]


def _names_twice(tools: tuple[type[Tool[Any, Any]], ...]) -> list[str]:
    names = [name for tool in tools for name in (tool.name, *tool.aliases)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"each tool name and alias must be unique, found twice: {', '.join(twice)}"] if twice else []
