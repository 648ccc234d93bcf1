"""Program `policy`: report what holds this sandbox back, as the kernel tells it from inside.

spec: PolicySpec. result: the fields of a SandboxPolicy.
"""

from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.wall.policy import read_back
from forgesyte_sandbox.shared.specs import PolicySpec


def run(context: Context[PolicySpec]) -> dict[str, Any]:
    """Return the policy of this process."""
    return read_back(context.built).model_dump(mode="json")
