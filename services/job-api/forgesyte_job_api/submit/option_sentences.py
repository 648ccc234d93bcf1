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
    if isinstance(error.schema, bool):  # it is `false`, which nothing fits
        return f"expected no value here, found {as_json(error.instance)}"[:MAX_SAID_CHARS]
    wanted = _WORDS.get(str(error.validator), _other(str(error.validator)))(error.validator_value)
    return f"expected {wanted}, found {as_json(error.instance)}"[:MAX_SAID_CHARS]


def _kinds(kinds: Any) -> str:  # noqa: ANN401  a type or several, as the schema has it
    names = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(name if name == "null" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names)


def _any_of(choices: Any) -> str:  # noqa: ANN401  schemas, as of an option that may be null
    types = [choice.get("type") if isinstance(choice, Mapping) else None for choice in choices]
    return _kinds(types) if all(isinstance(name, str) for name in types) else _other("anyOf")(choices)


def _count(words: str, noun: str, nouns: str) -> Callable[[Any], str]:
    return lambda value: f"{words} {as_json(value)} {noun if value == 1 else nouns}"


def _amount(words: str) -> Callable[[Any], str]:
    return lambda value: words.format(as_json(value))


def _other(keyword: str) -> Callable[[Any], str]:
    return lambda value: f"what the schema's {keyword} asks for ({as_json(value)})"


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "type": _kinds,
    "anyOf": _any_of,
    "enum": lambda values: f"one of {', '.join(map(as_json, values))}",
    "const": _amount("{}"),
    "minimum": _amount("at least {}"),
    "maximum": _amount("at most {}"),
    "exclusiveMinimum": _amount("more than {}"),
    "exclusiveMaximum": _amount("less than {}"),
    "multipleOf": _amount("a multiple of {}"),
    "minLength": _count("at least", "character", "characters"),
    "maxLength": _count("at most", "character", "characters"),
    "pattern": _amount("text that matches {}"),
    "format": _amount("text in the format {}"),
    "minItems": _count("at least", "entry", "entries"),
    "maxItems": _count("at most", "entry", "entries"),
    "uniqueItems": lambda _: "entries that all differ",
    "minProperties": _count("at least", "name", "names"),
    "maxProperties": _count("at most", "name", "names"),
}
