"""The Plugin class: what a package installed under the entry-point group `forgesyte.plugins` points at.

The class describes the plugin (the manifest); an instance holds what its jobs share. A broken class is refused when it
is defined, with every problem in one message, so that its author sees the problems at import and not in the middle of
a job. What costs time (the JSON Schemas) is checked by `build_manifest`, once per start of a runner.
"""

from typing import Any, ClassVar

from pydantic import PydanticUserError, ValidationError

from forgesyte_contracts.plugins import PluginManifest

from .errors import PluginContractError
from .plugin_facts import PluginFacts
from .registration import problems_of_plugin, tool_manifest
from .tool import Tool


class Plugin(PluginFacts):
    """Base of a plugin. One instance lives in a sandbox; `validate` and `load` run before the first job.

    The class attributes that describe a plugin are documented in PluginFacts.
    """

    tools: ClassVar[tuple[type[Tool[Any, Any]], ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if problems := problems_of_plugin(cls):
            raise PluginContractError(cls.__qualname__, problems)

    @classmethod
    def tool(cls, name: str) -> type[Tool[Any, Any]] | None:
        """Return the Tool class with this id or alias, or None."""
        for tool in cls.tools:
            if name == tool.name or name in tool.aliases:
                return tool
        return None

    @classmethod
    def build_manifest(cls) -> PluginManifest:
        """Return the manifest, with the JSON Schemas of each tool's options and output.

        Raises:
            PluginContractError: the class does not meet the contract.
        """
        tools, problems = [], []
        for tool in cls.tools:
            try:
                tools.append(tool_manifest(tool))
            except (ValueError, PydanticUserError) as error:
                problems.append(f"tool {tool.name}: {_flat(error)}")
        if problems:
            raise PluginContractError(cls.__qualname__, problems)
        facts = {field: getattr(cls, field) for field in PluginManifest.model_fields if field != "tools"}
        facts["description"] = cls.description or (cls.__doc__ or "").strip()
        try:
            return PluginManifest.model_validate({**facts, "tools": tuple(tools)})
        except ValidationError as error:
            raise PluginContractError(cls.__qualname__, [_flat(error)]) from error


def _flat(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'class'}: {e['msg']}" for e in error.errors())
    return error.message if isinstance(error, PydanticUserError) else str(error)
