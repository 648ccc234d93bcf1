"""What is wrong with an option, in a sentence that speaks JSON: `null`, `true` and `"text"`, as the client wrote them.

jsonschema's own messages show values as Python writes them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from jsonschema import ValidationError

MAX_SAID_CHARS = 300
_MAX_VALUE_CHARS = 80

_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


def kind_of(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return the JSON type of a value, with its article."""
    return "null" if value is None else _KINDS[type(value)]


def as_json(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return a value as JSON, cut where it becomes too long to read.

    >>> as_json(None), as_json([True, "a"])
    ('null', '[true,"a"]')
    """
    text = orjson.dumps(value).decode()
    return text if len(text) <= _MAX_VALUE_CHARS else f"{text[:_MAX_VALUE_CHARS]}..."


def expectation(error: ValidationError) -> str:
    """Return a sentence with what the schema expects and what was found."""
    wanted = _WORDS.get(str(error.validator), _other(str(error.validator)))(error.validator_value)
    return f"expected {wanted}, found {as_json(error.instance)}"[:MAX_SAID_CHARS]


def _kinds(kinds: Any) -> str:  # noqa: ANN401  a type or several, as the schema has it
    names = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(name if name == "null" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names)


def _amount(words: str) -> Callable[[Any], str]:
    return lambda value: words.format(as_json(value))


def _other(keyword: str) -> Callable[[Any], str]:
    return lambda value: f"what the schema's {keyword} asks for ({as_json(value)})"


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "type": _kinds,
    "enum": lambda values: f"one of {', '.join(map(as_json, values))}",
    "const": _amount("{}"),
    "minimum": _amount("at least {}"),
    "maximum": _amount("at most {}"),
    "exclusiveMinimum": _amount("more than {}"),
    "exclusiveMaximum": _amount("less than {}"),
    "multipleOf": _amount("a multiple of {}"),
    "minLength": _amount("at least {} characters"),
    "maxLength": _amount("at most {} characters"),
    "pattern": _amount("text that matches {}"),
    "format": _amount("text in the format {}"),
    "minItems": _amount("at least {} entries"),
    "maxItems": _amount("at most {} entries"),
    "uniqueItems": lambda _: "entries that all differ",
    "minProperties": _amount("at least {} names"),
    "maxProperties": _amount("at most {} names"),
}
