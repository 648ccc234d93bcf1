"""What tells a fault of the machine from a fault of a process: which boot this is, and how often memory ran out.

contracts/blame.py says what follows from it. Both are the same in every container of a machine.
"""

from contextlib import suppress
from pathlib import Path

from forgesyte_contracts.blame import Circumstances

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
VMSTAT = Path("/proc/vmstat")


def circumstances_here(*, alone: bool = False, has_control: bool = False) -> Circumstances:
    """Return the circumstances of this machine now, as a claimer or a supervisor states them.

    Args:
        alone: whether the job to be claimed gets its runner to itself.
        has_control: whether the machine was calm since the job's last fault.
    """
    return Circumstances(boot_id(), oom_kills(), alone, has_control)


def boot_id(file: Path = BOOT_ID) -> str | None:
    """Return the id of this boot of the machine; None where the kernel does not tell."""
    try:
        return file.read_text().strip() or None
    except OSError:
        return None


def oom_kills(file: Path = VMSTAT) -> int | None:
    """Return how many processes the kernel has killed since boot for want of memory; None where it does not tell."""
    with suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return None
