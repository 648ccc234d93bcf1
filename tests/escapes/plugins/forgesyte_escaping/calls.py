"""System calls by number, for what Python has no function for."""

import ctypes
import os
import platform

COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine(), 0)

NUMBERS = {  # name: (x86-64, aarch64)
    "add_key": (248, 217), "bpf": (321, 280), "clock_settime": (227, 112), "clone": (56, 220), "clone3": (435, 435),
    "fanotify_init": (300, 262), "fsopen": (430, 430), "inotify_add_watch": (254, 27), "inotify_init1": (294, 26),
    "io_uring_setup": (425, 425), "ioprio_get": (252, 31), "ioprio_set": (251, 30), "kcmp": (312, 272),
    "keyctl": (250, 219), "landlock_create_ruleset": (444, 444), "memfd_secret": (447, 447), "mount": (165, 40),
    "move_pages": (279, 239), "mq_open": (240, 180), "mq_unlink": (241, 181), "msgctl": (71, 187), "msgget": (68, 186),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438), "prctl": (157, 167),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "renameat2": (316, 276),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "semctl": (66, 191), "semget": (64, 190),
    "sethostname": (170, 161), "shmat": (30, 196), "shmctl": (31, 195), "shmget": (29, 194), "swapoff": (168, 225),
    "syslog": (103, 116), "tgkill": (234, 131), "tkill": (200, 130), "umount2": (166, 39), "userfaultfd": (323, 282),
}  # fmt: skip

# PyDLL keeps the interpreter's lock: a clone must come back as the thread that holds it.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

AT_FDCWD = -100


def call(name: str, *arguments: int | bytes | ctypes.Array | ctypes.Structure) -> int:
    """Call the kernel.

    Raises:
        OSError: what it answered.
    """
    plain = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    answer = _libc.syscall(ctypes.c_long(NUMBERS[name][COLUMN]), *plain)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def signal_info(number: int) -> ctypes.Array:
    """Return a siginfo_t of a queued signal (SI_QUEUE) with this sender."""
    info = ctypes.create_string_buffer(128)
    head = (ctypes.c_int * 3).from_buffer(info)
    head[0], head[2] = number, -1
    return info
