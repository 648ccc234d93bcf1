"""The options of a job's tools: parses their JSON and checks them against the tools' schemas.

Schemas come from plugins and are only read here: a reference that leaves the schema is never fetched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from forgesyte_contracts.plugins import ToolManifest
from forgesyte_contracts.problems import Code, ForgeSyteError

from .option_sentences import MAX_SAID_CHARS, expectation, kind_of

ToolOptions = dict[str, dict[str, Any]]
"""The options of each tool, by the tool's id."""


def parse_options(text: str | None, tools: Sequence[ToolManifest], *, max_bytes: int) -> ToolOptions:
    """Read the `options` of a submit and check them.

    Args:
        text: a JSON object: the options of the one tool, or {tool: options} for several (also allowed for one).
        tools: the tools of the job, in order.
        max_bytes: the limit of `text` in bytes of UTF-8.

    Returns:
        The options of every tool that has some, by tool id.

    Raises:
        ForgeSyteError: OPTIONS_INVALID with the path of the field; PLUGIN_UNAVAILABLE when the schema itself is broken.
    """
    given = _loaded(text, max_bytes)
    options = _by_tool(given, tools)
    for tool in tools:
        _check(tool, options.get(tool.name, {}))
    return options


def _loaded(text: str | None, max_bytes: int) -> dict[str, Any]:
    if text is None or not text.strip():
        return {}
    if (size := len(text.encode(errors="replace"))) > max_bytes:
        raise _invalid("options", f"found {size} bytes, but at most {max_bytes} are allowed")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid("options", f"expected a JSON object, found text that is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _invalid("options", f"expected a JSON object, found {kind_of(value)}")
    return value


def _by_tool(given: dict[str, Any], tools: Sequence[ToolManifest]) -> ToolOptions:
    if len(tools) == 1 and not _names_tools(given, tools[0]):
        return {tools[0].name: given} if given else {}
    ids = {name: tool.name for tool in tools for name in (tool.name, *tool.aliases)}
    options: ToolOptions = {}
    for name, value in given.items():
        if name not in ids:
            expected = ", ".join(tool.name for tool in tools)
            raise _invalid(f"options.{name}", f"expected the tools of this job ({expected}), each with its options")
        if not isinstance(value, dict):
            raise _invalid(f"options.{name}", f"expected an object, found {kind_of(value)}")
        options[ids[name]] = value
    return options


def _names_tools(given: dict[str, Any], tool: ToolManifest) -> bool:
    """Whether a single tool's options are wrapped in its name, and that name is not one of its options."""
    if len(given) != 1:
        return False
    name, value = next(iter(given.items()))
    own = tool.options_schema.get("properties", {})
    return name in (tool.name, *tool.aliases) and isinstance(value, dict) and name not in own


def _check(tool: ToolManifest, options: dict[str, Any]) -> None:
    # An empty registry: jsonschema would otherwise download what a plugin's schema refers to.
    validator = Draft202012Validator(tool.options_schema, registry=Registry())
    try:
        Draft202012Validator.check_schema(tool.options_schema)
        worst = best_match(validator.iter_errors(options))
    except (SchemaError, Unresolvable) as error:
        raise ForgeSyteError(
            Code.PLUGIN_UNAVAILABLE,
            f"the options schema of tool {tool.name} is broken, its author must fix it: {str(error)[:MAX_SAID_CHARS]}",
        ) from None
    if worst is not None:
        raise _invalid(_path(tool.name, worst), _sentence(worst))


def _path(tool: str, error: ValidationError) -> str:
    parts: list[str | int] = [*error.absolute_path, *_names_at_fault(error)[:1]]
    return ".".join(["options", tool, *(str(part) for part in parts)])


def _sentence(error: ValidationError) -> str:
    if _names_at_fault(error) and error.validator == "required":
        return "is missing"
    if _names_at_fault(error):
        known = ", ".join(_known_names(error)) or "none"
        return f"there is no such option; known options: {known}"[:MAX_SAID_CHARS]
    return expectation(error)


def _names_at_fault(error: ValidationError) -> list[str]:
    """Return the names in an object that are missing or unknown; the validator's own error names the object alone."""
    given: Any = error.instance
    if error.validator == "required" and isinstance(error.validator_value, list):
        return [name for name in error.validator_value if name not in given]
    is_closed = error.validator == "additionalProperties" and error.validator_value is False
    if is_closed and isinstance(error.schema, Mapping) and "patternProperties" not in error.schema:
        return [name for name in given if name not in _known_names(error)]
    return []


def _known_names(error: ValidationError) -> Mapping[str, Any]:
    known: Mapping[str, Any] = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    return known


def _invalid(field: str, what: str) -> ForgeSyteError:
    return ForgeSyteError(Code.OPTIONS_INVALID, f"{field[:200]}: {what}", field=field[:200])
