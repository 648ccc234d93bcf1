"""Which system calls a sandbox may make: the filter as data, without the calls that install it.

It refuses what Landlock does not see and what reaches past the sandbox. Everything else stays allowed: a list of what
is allowed would break with each new version of a library, and Landlock, the uid and the limits stand behind it.

- EPERM: the call is refused.
- ENOSYS: there is no such call, so that the C library takes an older one whose arguments a filter can read (clone3 and
  openat2 hold theirs in memory, where they could change after the look).
- success without effect: the call is common in harmless code (copying a file copies its times), and what it would
  change belongs to the service.

One number stands for "this process": the pid that the sandbox has when the filter is installed. It stays its own while
it lives, and whatever it started dies with it. To the rules it is OWN_PID, so that they are laid out once for all.
"""

import errno
from collections.abc import Mapping

from forgesyte_sandbox.shared.wall_rules import Profile

from .bpf import ARCHITECTURE, NUMBER, Answer, Decision, If, Load, by_number, high_word, low_word, one_of
from .syscalls import LAST_NUMBER, NUMBERS, Machine

ALLOWED, ASK_REFEREE = Answer(0x7FFF0000), Answer(0x7FC00000)
REFUSED, MISSING, UNSUPPORTED, PRETENDED = (
    Answer(0x00050000 | number) for number in (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, 0)
)

Rules = Mapping[str, Decision]

OWN_PID = 0x40404040
"""Stands for the pid; above the largest that Linux gives."""

_REFUSED_ALWAYS = {
    "another session, group or user": """setsid setpgid setuid setgid setreuid setregid setresuid setresgid setfsuid
        setfsgid setgroups""",
    "other processes": """ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp migrate_pages
        move_pages pidfd_open pidfd_getfd pidfd_send_signal lsm_set_self_attr""",
    "namespaces and mounts": """unshare setns mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen
        fsconfig fsmount fspick mount_setattr statmount listmount listns""",
    "parts of the kernel that plugins do without": """bpf perf_event_open add_key request_key keyctl userfaultfd
        io_uring_setup io_uring_enter io_uring_register io_setup memfd_secret kexec_load kexec_file_load create_module
        init_module finit_module delete_module lookup_dcookie syslog _sysctl nfsservctl uselib iopl ioperm
        modify_ldt""",
    "the whole machine": """clock_settime clock_adjtime settimeofday adjtimex acct swapon swapoff reboot sethostname
        setdomainname quotactl quotactl_fd vhangup""",
    "queues and memory by number, which all processes of a uid share": """shmget shmat shmctl shmdt semget semop
        semtimedop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify
        mq_getsetattr""",
    "the network, and descriptors in flight": """socket connect bind listen accept accept4 sendmsg sendmmsg""",
    "what happens in folders that it may not read": """inotify_init inotify_init1 fanotify_init fanotify_mark
        name_to_handle_at open_by_handle_at""",
    "owners and attributes of files": """chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat
        removexattr lremovexattr fremovexattr removexattrat file_setattr""",
}
_MODES = {"modes of files": "chmod fchmod fchmodat fchmodat2"}
_TIMES = {"utime": (0, 1), "utimes": (0, 1), "futimesat": (1, 2), "utimensat": (1, 2)}
"""Which arguments hold the path and the times."""
_REFUSED_TO_MEDIA = {
    "programs and processes": "execve execveat fork vfork memfd_create",
    "names of files": """mknod mknodat link linkat symlink symlinkat rename renameat renameat2 unlink unlinkat mkdir
        mkdirat rmdir""",
}
_SIGNALS = {"signals": "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo"}
_OF_A_PROCESS = {
    "limits and scheduling": """prlimit64 sched_setaffinity sched_setscheduler sched_setparam sched_setattr
        get_robust_list""",
}

_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_CLONE_PTRACE, _CLONE_PARENT, _CLONE_THREAD = 0x2000, 0x8000, 0x10000

_FCNTL = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETLEASE": 1024, "F_NOTIFY": 1026, "F_SETDELEG": 1040}
_IOCTL = {
    "TIOCSTI": 0x5412,
    "TIOCSCTTY": 0x540E,
    "TIOCLINUX": 0x541C,
    "TIOCCONS": 0x541D,
    "TIOCSETD": 0x5423,
    "FIOASYNC": 0x5452,
    "FIFREEZE": 0xC0045877,
    "FITHAW": 0xC0045878,
    "FITRIM": 0xC0185879,
    "FS_IOC_SETFLAGS": 0x40086602,
    "FS_IOC_FSSETXATTR": 0x401C5820,
    "FS_IOC_ENABLE_VERITY": 0x40806685,
}
_SOCKET_IOCTLS = 0x8900
"""The 256 of them own signals (FIOSETOWN) and describe the machine's network, on a socketpair too."""

_PRCTL_PRETENDED = {"PR_SET_PDEATHSIG": 1, "PR_SET_DUMPABLE": 4}
_PRCTL_REFUSED = {"PR_SET_MM": 35, "PR_SET_CHILD_SUBREAPER": 36, "PR_SCHED_CORE": 62, "PR_SET_PTRACER": 0x59616D61}

_O_ACCMODE, _O_TRUNC = 0o3, 0o1000
_S_IFMT, _PIPE_OR_FILE = 0o170000, (0, 0o100000, 0o010000)
_SECCOMP_NEW_LISTENER = 1 << 3
_PERSONALITIES = (0, -1)
_KEEPS_TRUNCATION = 3
"""The Landlock ABI from which truncation needs a right of its own."""


def sandbox_rules(
    profile: Profile, *, landlock_abi: int, has_own_uid: bool, signals_only_itself: bool
) -> dict[str, Decision]:
    """Return what holds for each call that is not simply allowed.

    Args:
        profile: who runs in the sandbox.
        landlock_abi: the Landlock ABI in force, 0 for none.
        has_own_uid: whether no process outside the sandbox has its uid, so that the kernel guards modes and times of
            the others' files, their limits and scheduling. Without it, a thread can change only the first thread's.
        signals_only_itself: whether signals reach the first process and its group alone.
    """
    rules: dict[str, Decision] = _all(_REFUSED_ALWAYS, REFUSED)
    rules |= _of_processes(may_fork=profile == "plugin")
    rules |= _of_files(keeps_truncation=landlock_abi >= _KEEPS_TRUNCATION)
    rules |= _of_descriptors()
    if not has_own_uid:
        rules |= _of_others() | _of_attributes()
    if profile == "media":
        rules |= _all(_REFUSED_TO_MEDIA, REFUSED)
    if profile == "media" or signals_only_itself:
        rules |= signal_rules(others=REFUSED)
    return rules


def signal_rules(*, others: Decision) -> dict[str, Decision]:
    """Return rules by which signals reach the process, and by kill() its group; `others` decides on the rest."""
    rules: dict[str, Decision] = _all(_SIGNALS, _argument(0, OWN_PID, yes=ALLOWED, no=others))
    rules["kill"] = _argument(0, 0, OWN_PID, -OWN_PID, yes=ALLOWED, no=others)
    return rules


def whole_filter(rules: Rules, machine: Machine) -> Decision:
    """Return the decision for any call of a machine: a call of another one is refused, and one that no table knows.

    The x32 calls of x86-64 have numbers above all known ones.
    """
    numbered = {number: rule for name, rule in rules.items() if (number := NUMBERS[name][machine.column]) is not None}
    known = by_number(numbered, others=ALLOWED, last=LAST_NUMBER, beyond=MISSING)
    return Load(ARCHITECTURE, If("==", machine.audit, Load(NUMBER, known), REFUSED))


def _all(calls: Mapping[str, str], decision: Decision) -> dict[str, Decision]:
    return {name: decision for names in calls.values() for name in names.split()}


def _argument(which: int, *values: int, yes: Decision, no: Decision) -> Decision:
    return Load(low_word(which), one_of(values, yes, no))


def _is_null(pointer: int, *, yes: Decision, no: Decision) -> Decision:
    return Load(low_word(pointer), If("==", 0, Load(high_word(pointer), If("==", 0, yes, no)), no))


def _of_processes(*, may_fork: bool) -> Rules:
    started: Decision = ALLOWED if may_fork else If("&", _CLONE_THREAD, ALLOWED, REFUSED)
    refused_flags = _NAMESPACES | _CLONE_PTRACE | _CLONE_PARENT
    option = one_of(_PRCTL_PRETENDED.values(), PRETENDED, one_of(_PRCTL_REFUSED.values(), REFUSED, ALLOWED))
    return {
        "clone": Load(low_word(0), If("&", refused_flags, REFUSED, started)),
        "clone3": MISSING,
        "prctl": Load(low_word(0), option),
        "personality": _argument(0, *_PERSONALITIES, yes=ALLOWED, no=REFUSED),
        "seccomp": Load(low_word(1), If("&", _SECCOMP_NEW_LISTENER, REFUSED, ALLOWED)),
    }


def _of_others() -> dict[str, Decision]:
    """Limits, scheduling and niceness of other processes of this uid."""
    rules: dict[str, Decision] = _all(_OF_A_PROCESS, _argument(0, 0, OWN_PID, yes=ALLOWED, no=REFUSED))
    itself = _argument(1, 0, OWN_PID, yes=ALLOWED, no=REFUSED)
    its_group = _argument(1, 0, yes=ALLOWED, no=REFUSED)
    # PRIO_PROCESS and PRIO_PGRP; IOPRIO_WHO_PROCESS and IOPRIO_WHO_PGRP. What is left stands for all of the user's.
    rules["setpriority"] = Load(low_word(0), If("==", 0, itself, If("==", 1, its_group, REFUSED)))
    rules["ioprio_set"] = Load(low_word(0), If("==", 1, itself, If("==", 2, its_group, REFUSED)))
    return rules


def _of_attributes() -> dict[str, Decision]:
    """Modes and times of files.

    "Now" as the time is refused instead of pretended: Path.touch() creates a file only when setting its time fails.
    """
    rules = _all(_MODES, PRETENDED)
    for name, (path, times) in _TIMES.items():
        rules[name] = _is_null(path, yes=PRETENDED, no=_is_null(times, yes=REFUSED, no=PRETENDED))
    return rules


def _of_files(*, keeps_truncation: bool) -> Rules:
    # Reserving space costs no time, and with KEEP_SIZE no limit on file size holds it: a disk would be full before a
    # watchdog looks. The C library writes zeros instead.
    rules: dict[str, Decision] = {"openat2": MISSING, "fallocate": UNSUPPORTED}
    for name, argument in (("open", 1), ("openat", 2)):
        # Mode 3 opens for neither reading nor writing, so that Landlock asks for no right at all.
        without_mode: Decision = one_of([3], REFUSED, ALLOWED)
        if not keeps_truncation:
            emptied = Load(low_word(argument), If("&", _O_TRUNC, REFUSED, ALLOWED))
            without_mode = one_of([3], REFUSED, one_of([0], emptied, ALLOWED))
        rules[name] = Load(low_word(argument), without_mode, mask=_O_ACCMODE)
    if not keeps_truncation:
        rules["truncate"] = REFUSED
    for name, argument in (("mknod", 1), ("mknodat", 2)):
        rules[name] = Load(low_word(argument), one_of(_PIPE_OR_FILE, ALLOWED, REFUSED), mask=_S_IFMT)
    return rules


def _of_descriptors() -> Rules:
    stream, packets = 1, 5  # a pair of datagram sockets could be sent to any address by its name
    kind = Load(low_word(1), one_of([stream, packets], ALLOWED, REFUSED), mask=0xF)
    of_sockets = If(">=", _SOCKET_IOCTLS, If(">", _SOCKET_IOCTLS + 0xFF, ALLOWED, REFUSED), ALLOWED)
    return {
        "socketpair": _argument(0, 1, yes=kind, no=REFUSED),
        "sendto": _is_null(4, yes=ALLOWED, no=REFUSED),
        "fcntl": _argument(1, *_FCNTL.values(), yes=REFUSED, no=ALLOWED),
        "ioctl": Load(low_word(1), one_of(_IOCTL.values(), REFUSED, of_sockets)),
    }
