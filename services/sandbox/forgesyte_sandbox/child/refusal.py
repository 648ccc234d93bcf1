"""The verdict of a program on what it was given."""

from typing import Any

from forgesyte_contracts.problems import Code


class Refusal(Exception):
    """The run can not go on for a reason that is nobody's bug: bad media, bad options, a missing thing.

    Args:
        code: what the caller should see.
        text: what was found, what is expected, what to do next.
        error_type: a short name for it.
        result: what the program can still give.
    """

    def __init__(self, code: Code, text: str, *, error_type: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.error_type = error_type
        self.result = result
