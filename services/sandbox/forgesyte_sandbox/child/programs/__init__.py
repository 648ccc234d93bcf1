"""What a sandbox can be asked to do: one module a program, each with `run(context) -> result`."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from forgesyte_sandbox.child.context import Context

_PROGRAMS = ("manifest", "job", "warm", "annotate", "probe")


def load_program(name: str) -> Callable[[Context], dict[str, Any]]:
    """Give the `run` function of a program.

    Raises:
        LookupError: there is no such program.
    """
    if name not in _PROGRAMS:
        raise LookupError(f"expected a program of {', '.join(_PROGRAMS)}, found {name!r}")
    run: Callable[[Context], dict[str, Any]] = import_module(f"{__name__}.{name}").run
    return run
