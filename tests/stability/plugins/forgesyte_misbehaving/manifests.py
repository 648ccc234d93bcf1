"""Plugins whose class or manifest breaks the contract; each has one thing wrong.

The contract is checked when a class is defined, so most of them are made on first use of their name: one wrong class
must not keep the others from being imported.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from forgesyte_sdk import Plugin, PluginLimits, Tool, ToolOptions, ToolOutput

from .making import Anything


class Misbehave(Tool[ToolOptions, Anything]):
    """A tool with nothing wrong."""

    name = "misbehave"
    Options = ToolOptions

    def process_frame(self, frame):
        return Anything(value=frame.index)


class Loose(BaseModel):
    """Options that swallow unknown fields."""

    level: int = 1


class Schemaless(ToolOptions):
    """Options that have no JSON Schema."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    something: type(NotImplemented) | None = None  # type: ignore[valid-type] # the fault itself


class NoOutput(ToolOutput):
    """An output without a field."""


def tool(**changes: Any) -> type[Tool[Any, Any]]:
    return type("Changed", (Misbehave,), changes)


def mute_tool() -> type[Tool[Any, Any]]:
    return type("Mute", (Tool,), {"name": "misbehave", "Options": ToolOptions, "Output": NoOutput})


def plugin(name: str | None, **changes: Any) -> type[Plugin]:
    facts = {"name": name, "version": "1.0.0", "tools": (Misbehave,), **changes}
    return type("Wrong", (Plugin,), {key: value for key, value in facts.items() if value is not None})


def with_large_schema(kib: int) -> type[Plugin]:
    extra = {"x-ballast": "x" * (kib << 10)}
    options = type("Large", (ToolOptions,), {"model_config": ConfigDict(extra="forbid", json_schema_extra=extra)})
    return plugin(f"manifest-of-{kib}-kib", tools=(tool(Options=options),))


def giving(name: str, manifest: Any) -> type[Plugin]:
    return plugin(name, build_manifest=classmethod(lambda cls: manifest()))


def raise_it(error: BaseException) -> Any:
    raise error


MAKERS = {
    "bad_name": lambda: plugin("Bad Name"),
    "no_name": lambda: plugin(None),
    "bad_version": lambda: plugin("manifest-bad-version", version="one"),
    "no_tools": lambda: plugin("manifest-no-tools", tools=()),
    "tools_list": lambda: plugin("manifest-tools-list", tools=[Misbehave]),
    "tool_no_class": lambda: plugin("manifest-tool-no-class", tools=("misbehave",)),
    "tool_twice": lambda: plugin("manifest-tool-twice", tools=(Misbehave, tool())),
    "tool_mute": lambda: plugin("manifest-tool-mute", tools=(mute_tool(),)),
    "bad_inputs": lambda: plugin("manifest-bad-inputs", tools=(tool(inputs=("sound",)),)),
    "loose_options": lambda: plugin("manifest-loose-options", tools=(tool(Options=Loose),)),
    "no_schema": lambda: plugin("manifest-no-schema", tools=(tool(Options=Schemaless),)),
    "bad_isolation": lambda: plugin("manifest-bad-isolation", isolation="none"),
    "bad_limits": lambda: plugin("manifest-bad-limits", limits=PluginLimits(frame_timeout_s=-1)),
    "absurd_limits": lambda: plugin("manifest-absurd-limits", limits=PluginLimits(memory_bytes=(1 << 63) + 1)),
    "bad_requires": lambda: plugin("manifest-bad-requires", requires={"gpu": "perhaps"}),
    "long_text": lambda: plugin("manifest-long-text", description="x" * 5_000_000),
    "other_name": lambda: plugin("another-plugin"),
    "of_900_kib": lambda: with_large_schema(900),
    "of_5000_kib": lambda: with_large_schema(5000),
    "none": lambda: giving("manifest-none", lambda: None),
    "text": lambda: giving("manifest-text", lambda: "a manifest"),
    "raises": lambda: giving("manifest-raises", lambda: raise_it(RuntimeError("no manifest today"))),
    "not_a_plugin": lambda: dict,
    "an_instance": lambda: plugin("manifest-an-instance")(),
}


def __getattr__(name: str) -> Any:
    if name in MAKERS:
        return MAKERS[name]()
    raise AttributeError(f"module {__name__} has no attribute {name!r}")
