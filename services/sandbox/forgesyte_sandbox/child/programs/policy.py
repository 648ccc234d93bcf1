"""Program `policy`: report what holds this sandbox back, as the kernel told it before the program began.

spec: PolicySpec. result: the fields of a SandboxPolicy.
"""

from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.shared.specs import PolicySpec


def run(context: Context[PolicySpec]) -> dict[str, Any]:
    """Return the policy of this process."""
    return context.policy.model_dump(mode="json")
