"""What gets through all the same, by name and with its reason. A test holds these lists exact: they can only shrink.

What stays with Landlock is a decision, not a surprise. Without it the kernel's oldest rules hold alone: for an ordinary
user that is the degraded configuration, which must be asked for by name; for root the uid of its own holds, and what
every user of the machine may read or write stays so.
"""

from collections.abc import Mapping
from typing import Any

ALWAYS = {
    "reads-the-machines-tcp-table": "/proc/self/net is a part of /proc/self: addresses, and no content of connections",
}
"""With Landlock and without."""

WHAT_ITS_UID_MAY = {
    "looks-a-file-up": "Landlock does not decide on stat()",
    "reads-shared-memory-by-its-name": "multiprocessing needs /dev/shm; its names are random and cannot be listed",
}
"""Where the sandbox has the service's uid, or keeps the capability to search in closed folders."""

_EVERY_USER_READS = "every user of the machine may read it"
_EVERY_USER_WRITES = "every user of the machine may write there"

WITHOUT_LANDLOCK = {
    **dict.fromkeys((
        "reads-a-world-readable-file", "reads-the-command-line-of-a-service", "lists-the-processes-of-the-machine",
        "lists-shared-memory", "lists-the-networks-of-the-machine",
    ), _EVERY_USER_READS),
    **dict.fromkeys((
        "writes-into-an-open-folder", "writes-into-the-temporary-folder", "links-a-nameless-file-outside",
        "links-its-own-file-outside", "moves-its-own-file-outside", "makes-a-folder-outside",
        "makes-a-symlink-outside", "makes-a-pipe-outside", "overwrites-a-file-outside",
        "maps-a-file-outside-for-writing", "removes-a-file-outside", "moves-a-file-into-scratch",
        "writes-into-a-pipe-of-a-service",
    ), _EVERY_USER_WRITES),
}  # fmt: skip
"""Without Landlock, whatever the uid."""

_SAME_UID = "files and processes of the service's uid are its own: degraded"

DEGRADED = dict.fromkeys((
    "reads-the-token", "reads-another-jobs-file", "reads-another-jobs-video", "lists-another-jobs-folder",
    "lists-the-homes", "lists-the-data-folder", "climbs-out-by-dots", "climbs-out-by-a-directory-descriptor",
    "follows-a-symlink-in-scratch", "hard-links-a-file-into-scratch", "reopens-an-o-path-descriptor",
    "goes-through-its-own-root-link", "goes-through-the-zygotes-root-link", "reads-the-zygotes-working-folder",
    "reads-the-runners-environment", "reads-the-memory-of-a-service", "reads-the-memory-of-another-job",
    "writes-the-memory-of-a-service", "reads-the-address-map-of-a-service", "opens-a-descriptor-of-a-service",
    "offers-a-service-to-the-oom-killer", "reads-the-secret-in-a-forked-child", "reads-the-secret-in-a-thread",
    "reads-the-secret-in-another-program", "reads-the-secret-by-a-shell", "runs-a-script-from-memory",
    "runs-a-program-it-wrote", "writes-into-another-jobs-folder", "exchanges-its-input", "moves-its-input",
    "overwrites-its-input",
), _SAME_UID)  # fmt: skip
"""Without Landlock and without a uid of its own."""

LISTS = (ALWAYS, WHAT_ITS_UID_MAY, WITHOUT_LANDLOCK, DEGRADED)


def expected(policy: Mapping[str, Any]) -> set[str]:
    """Return the rows that get through where this policy is in force."""
    has_landlock, has_own_uid = policy["landlock_abi"] > 0, policy["uid_is_exclusive"]
    return {
        *ALWAYS,
        *(WHAT_ITS_UID_MAY if policy["searches"] or not has_own_uid else ()),
        *(() if has_landlock else WITHOUT_LANDLOCK),
        *(() if has_landlock or has_own_uid else DEGRADED),
    }
