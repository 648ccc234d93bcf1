"""The verdict of a program on what it was given."""

from typing import Any

from forgesyte_contracts.problems import Code


class Refusal(Exception):
    """The run cannot go on for a reason that is no bug: bad media, bad options, something missing.

    Args:
        code: what the caller sees.
        text: what was found, what is expected, what to do next.
        error_type: a short name for it.
        result: what the program can return all the same.
    """

    def __init__(self, code: Code, text: str, *, error_type: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.error_type = error_type
        self.result = result
