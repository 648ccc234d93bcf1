"""The Plugin class: what a package installed under the entry-point group `forgesyte.plugins` points at.

The class says what the plugin is (the manifest), an instance holds what its jobs share. A broken class is refused
when it is defined, with every problem in one message, so that its author meets it at import and not in the middle of
a job. What costs time (the JSON Schemas) is checked by `build_manifest`, once for each start of a runner.
"""

from typing import Any, ClassVar, Literal

from pydantic import PydanticUserError, ValidationError

from forgesyte_contracts.plugins import PluginLimits, PluginManifest, Requires

from .errors import PluginContractError
from .registration import problems_of_plugin, tool_manifest
from .tool import Tool


class Plugin:
    """Base of a plugin. One instance lives in a sandbox; `validate` and `load` run before the first job.

    Attributes:
        name: the plugin's id, `^[a-z0-9_-]+$`.
        version: SemVer.
        description: what it does; the class's docstring when empty.
        author: who made it.
        license: SPDX id.
        capabilities: free words that a client may search for.
        requires: what must be there before it can run.
        limits: limits instead of the service's own.
        isolation: `job`: a fresh process for each job; `plugin`: a warm one for each slot (GPU, slow import or load).
        stateful: whether a frame's output depends on earlier frames.
        latency_budget_ms: milliseconds a frame may take before clients call the plugin slow; None: not said.
        tools: the Tool classes it offers, at least one.
        device: where `load` was told to put models; None before.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    description: ClassVar[str] = ""
    author: ClassVar[str] = ""
    license: ClassVar[str] = ""
    capabilities: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[Requires] = Requires()
    limits: ClassVar[PluginLimits] = PluginLimits()
    isolation: ClassVar[Literal["job", "plugin"]] = "job"
    stateful: ClassVar[bool] = False
    latency_budget_ms: ClassVar[float | None] = None
    tools: ClassVar[tuple[type[Tool[Any, Any]], ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if problems := problems_of_plugin(cls):
            raise PluginContractError(cls.__qualname__, problems)

    def validate(self) -> None:
        """Check the environment, once a process. Does nothing unless overridden.

        Raises:
            PluginUnavailable: something outside the plugin is missing. Any other exception makes the plugin FAILED.
        """

    def load(self, device: str) -> None:
        """Load models, once a process; does nothing unless overridden.

        Args:
            device: `cpu` or `gpu`, the kind that was found for the job; torch's name for the latter is `cuda`.

        Raises:
            PluginUnavailable: something outside the plugin is missing.
        """

    @classmethod
    def tool(cls, name: str) -> type[Tool[Any, Any]] | None:
        """Find a Tool class by its id or by one of its aliases."""
        for tool in cls.tools:
            if name == tool.name or name in tool.aliases:
                return tool
        return None

    @classmethod
    def build_manifest(cls) -> PluginManifest:
        """Say what this plugin is, with the JSON Schemas of each tool's options and output.

        Raises:
            PluginContractError: the class does not fit the contract.
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
