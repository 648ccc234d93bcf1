"""What a sandbox can be asked to do: one module per program, each with `run(context) -> result`.

Never imports the process around it (`child.child`, `child.zygote`), which loads a program by its name.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.specs import SPECS, Spec, SpecRefused


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
        Refusal: INTERNAL, for keys that the program does not know or misses: the caller is at fault and no plugin.
    """
    try:
        return SPECS[program].read(given)
    except SpecRefused as fault:
        raise Refusal(Code.INTERNAL, str(fault), error_type="SpecRefused") from None
