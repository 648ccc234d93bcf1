"""What a sandbox can be asked to do: one module per program, each with `run(context) -> result`.

Never imports the process around it (`child.child`, `child.zygote`), which loads a program by its name.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.shared.specs import SPECS, Spec


def load_program(name: str) -> Callable[[Context[Any]], dict[str, Any]]:
    """Return the `run` function of a program.

    Raises:
        LookupError: there is no such program.
    """
    if name not in SPECS:
        raise LookupError(f"expected a program of {', '.join(SPECS)}, found {name!r}")
    run: Callable[[Context[Any]], dict[str, Any]] = import_module(f"{__name__}.{name}").run
    return run


def read_spec(program: str, given: Mapping[str, Any]) -> Spec:
    """Read what a program is asked.

    Raises:
        SpecRefused: a key that the program does not know, or one that it needs and does not find.
    """
    return SPECS[program].read(given)
