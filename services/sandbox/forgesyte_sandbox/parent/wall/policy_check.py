"""Whether what is in force around the sandboxes is enough to run plugin code at all.

Required: no_new_privs, the system-call filter, and either Landlock of any version or a uid of its own for each sandbox.
"""

from forgesyte_contracts.plugins import SandboxPolicy
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_sandbox.shared.wall_rules import WallRules


def require_policy(policy: SandboxPolicy, rules: WallRules) -> None:
    """Check a policy against what is required, unless the operator requires nothing.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, with what is missing and what to do.
    """
    if not rules.is_required or policy.word == "walled":
        return
    text = "The sandbox would not hold plugin code back, so nothing is started. " + " ".join(
        f"{lack}." for lack in lacks_of(policy)
    )
    raise ForgeSyteError(
        Code.SERVICE_UNAVAILABLE,
        f"{text} `forgesyte doctor` shows the details. To run all the same, with plugins that you trust, start it with "
        "--allow-degraded-sandbox.",
    )


def lacks_of(policy: SandboxPolicy) -> list[str]:
    """Return what is missing of the required part, each as a sentence without a full stop; empty when nothing is."""
    lacks = []
    if not policy.no_new_privs:
        lacks.append("The kernel does not keep programs from gaining rights (no_new_privs)")
    if not policy.seccomp:
        lacks.append("There is no system-call filter (seccomp); in a container its own profile must allow seccomp()")
    if policy.landlock_abi == 0 and not policy.uid_is_exclusive:
        lacks.append(
            "The kernel offers no Landlock, which Linux 5.13 or newer has (a container's seccomp profile must allow "
            f"landlock_create_ruleset), and sandboxes have no uid of their own, because {policy.no_uid}"
        )
    return lacks
