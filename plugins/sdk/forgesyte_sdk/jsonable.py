"""Convert whatever a tool returned to plain JSON values, or say exactly where that is not possible.

Two passes. The first handles what typed outputs nearly always are (plain containers, finite numbers) without keeping
a path. Anything unusual starts the second, which tracks the path and converts, warns or refuses. Rejected: letting the
JSON encoder decide (orjson silently turns NaN into null, and names no path when it refuses).
"""

import sys
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np
from pydantic import BaseModel

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
"""Any JSON value."""

MAX_DEPTH = 100
"""Deeper nesting is refused; this also catches values that contain themselves."""

MAX_WARNINGS = 10
"""More warnings than this for one value are folded into one."""

_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1


class _UnusualError(Exception):
    """The quick pass met a value that needs a path, a conversion or a refusal."""


def to_jsonable(value: object) -> tuple[Json, list[str]]:
    """Convert one frame's output to dict, list, str, int, float, bool and None.

    NumPy and torch values are converted, enum members become their values, whole-number keys become text.

    Args:
        value: a pydantic model or anything built from the types above.

    Returns:
        The plain value, and warnings: NaN and infinite numbers became None, lone surrogates in text became question
        marks; each warning names the path (`output.regions[0].share`).

    Raises:
        TypeError: a value has no JSON form (bytes, sets, objects, ...); the message names the path.
        ValueError: a value is nested too deeply or contains itself, or an integer exceeds 64 bits.
    """
    if isinstance(value, BaseModel):
        value = _dump(value, "output")
    try:
        return _quick(value, 0), []
    except _UnusualError:
        careful = _Careful()
        plain = careful.convert(value, "output", 0)
        return plain, careful.warnings_folded()


def _quick(value: Any, depth: int) -> Any:  # noqa: ANN401, C901 - one dispatch by type, on the path of every row
    kind = type(value)
    if kind is float:
        if isfinite(value):
            return value
    elif kind is list or kind is tuple:
        if depth < MAX_DEPTH:
            return [_quick(item, depth + 1) for item in value]
    elif kind is dict:
        if depth < MAX_DEPTH and all(type(key) is str and key.isascii() for key in value):
            return {key: _quick(item, depth + 1) for key, item in value.items()}
    elif kind is bool or value is None:
        return value
    elif kind is int:
        if _MIN_INT <= value <= _MAX_INT:
            return value
    elif kind is str and value.isascii():
        return value
    raise _UnusualError


def _dump(model: BaseModel, path: str) -> dict[str, object]:
    try:
        return model.model_dump(mode="python", by_alias=True)
    except ValueError as error:  # pydantic finds a model that contains itself before we do
        raise ValueError(f"{path}: {error}") from error


class _Careful:
    """The second pass; keeps the path and the warnings."""

    def __init__(self) -> None:
        self._warnings: list[str] = []

    def warnings_folded(self) -> list[str]:
        more = len(self._warnings) - MAX_WARNINGS
        return self._warnings if more <= 0 else [*self._warnings[:MAX_WARNINGS], f"and {more} more of this kind"]

    def convert(self, value: object, path: str, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise ValueError(f"{path[:200]}: nested deeper than {MAX_DEPTH} levels, or containing itself")
        if isinstance(value, Enum):
            return self.convert(value.value, path, depth + 1)
        if value is None or isinstance(value, bool | str | int | float):
            return self._scalar(value, path)
        if isinstance(value, dict):
            return self._dict(value, path, depth)
        if isinstance(value, list | tuple):
            return [self.convert(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(value)]
        if isinstance(value, BaseModel):
            return self.convert(_dump(value, path), path, depth + 1)
        return self._foreign(value, path, depth)

    def _scalar(self, value: bool | str | float | None, path: str) -> Json:
        if isinstance(value, str):
            return self._text(str(value), path)
        if isinstance(value, float) and not isfinite(value):
            self._warnings.append(f"{path}: {float(value)} has no JSON form; null was written")
            return None
        if isinstance(value, int) and not _MIN_INT <= value <= _MAX_INT:
            raise ValueError(f"{path}: a whole number of {value.bit_length()} bits, expected at most 64")
        if value is None or isinstance(value, bool):
            return value
        return int(value) if isinstance(value, int) else float(value)

    def _text(self, value: str, path: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self._warnings.append(f"{path}: text has a lone surrogate; a question mark was written instead")
            return value.encode(errors="replace").decode()
        return value

    def _dict(self, value: dict[object, object], path: str, depth: int) -> dict[str, Json]:
        plain: dict[str, Json] = {}
        for key, item in value.items():
            name = self._key(key, path)
            if name in plain:
                raise ValueError(f"{path}: the key {name!r} appears twice after keys are converted to text")
            plain[name] = self.convert(item, f"{path}.{name}", depth + 1)
        return plain

    def _key(self, key: object, path: str) -> str:
        key = key.value if isinstance(key, Enum) else key
        if isinstance(key, str):
            return self._text(str(key), path)
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            return str(int(key))
        raise TypeError(f"{path}: a key of type {type(key).__name__}, expected text or a whole number")

    def _foreign(self, value: object, path: str, depth: int) -> Json:
        if isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "biufUO":
            return self.convert(value.tolist(), path, depth + 1)
        torch = sys.modules.get("torch")  # never imported here: only a plugin that uses torch can hand in a tensor
        if torch is not None and isinstance(value, torch.Tensor):
            return self.convert(value.detach().cpu().tolist(), path, depth + 1)
        what = f"array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{path}: {what} has no JSON form; give numbers, text, lists or a pydantic model instead")
