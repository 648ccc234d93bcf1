"""Attempts on the kernel: namespaces, mounts, clocks, keys, queues, and doors that have been wide before."""

import ctypes
import errno
import os
import signal
import socket
import struct
import time
from ctypes import addressof, create_string_buffer

from . import calls
from .attempting import Targets, attempt, in_child, unless_pretended

CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET = 0x10000000, 0x00020000, 0x40000000
IPC_CREAT, IPC_RMID, IPC_PRIVATE = 0o1000, 0, 0
USER_KEYRING, KEYCTL_INVALIDATE = -4, 21


@attempt()
def makes_a_user_namespace(at: Targets):
    """unshare(CLONE_NEWUSER): root of a world of its own, with all doors of root."""
    return in_child(lambda at: unless_pretended(os.unshare(CLONE_NEWUSER) is None), at)


@attempt()
def makes_a_mount_namespace(at: Targets):
    """unshare(CLONE_NEWNS)."""
    return in_child(lambda at: unless_pretended(os.unshare(CLONE_NEWNS) is None), at)


@attempt()
def forks_into_a_user_namespace(at: Targets):
    """clone(CLONE_NEWUSER)."""
    pid = calls.call("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


@attempt()
def forks_into_a_user_namespace_by_clone3(at: Targets):
    """clone3(CLONE_NEWUSER), whose flags a filter cannot read."""
    facts = struct.pack("11Q", CLONE_NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    pid = calls.call("clone3", create_string_buffer(facts, len(facts)), len(facts))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


@attempt()
def enters_a_services_network(at: Targets):
    """setns() by /proc/PID/ns/net."""

    def enter(at: Targets) -> str:
        os.setns(os.open(f"/proc/{at.victim['pid']}/ns/net", os.O_RDONLY), CLONE_NEWNET)
        return "entered"

    return in_child(enter, at)


@attempt()
def mounts_a_folder(at: Targets):
    """mount() of a file system in memory over a folder of its own."""
    os.mkdir("mounted")  # noqa: PTH102 - os calls
    calls.call("mount", b"none", b"mounted", b"tmpfs", 0, 0)
    calls.call("umount2", b"mounted", 2)
    return "mounted"


@attempt()
def makes_a_file_system(at: Targets):
    """fsopen(), the newer way to mount."""
    return calls.call("fsopen", b"tmpfs", 0)


@attempt()
def copies_the_tree_of_mounts(at: Targets):
    """open_tree(OPEN_TREE_CLONE) of the root folder."""
    return calls.call("open_tree", calls.AT_FDCWD, b"/", 1)


@attempt()
def changes_its_root(at: Targets):
    """chroot()."""
    return in_child(lambda at: unless_pretended(os.chroot(at.open_folder) is None), at)


@attempt("secret")
def opens_a_file_by_its_handle(at: Targets):
    """name_to_handle_at() and open_by_handle_at(), past all folders."""
    handle, mount = create_string_buffer(struct.pack("I", 128), 136), ctypes.c_int()
    calls.call("name_to_handle_at", calls.AT_FDCWD, at.secret.encode(), handle, addressof(mount), 0)
    folder = os.open(".", os.O_RDONLY)
    return os.read(calls.call("open_by_handle_at", folder, handle, os.O_RDONLY), 4096)


@attempt()
def loads_a_bpf_map(at: Targets):
    """bpf()."""
    facts = struct.pack("4I", 2, 4, 8, 1) + bytes(112)
    return calls.call("bpf", 0, create_string_buffer(facts, len(facts)), len(facts))


@attempt()
def measures_a_service(at: Targets):
    """perf_event_open() of another process."""
    facts = struct.pack("IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6).ljust(112, b"\0")
    return calls.call("perf_event_open", create_string_buffer(facts, 112), at.victim["pid"], -1, -1, 0)


@attempt()
def measures_itself(at: Targets):
    """perf_event_open(), a door that has been wide before."""
    facts = struct.pack("IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6).ljust(112, b"\0")
    return calls.call("perf_event_open", create_string_buffer(facts, 112), 0, -1, -1, 0)


@attempt()
def handles_page_faults(at: Targets):
    """userfaultfd() stops the kernel in the middle of a copy."""
    return calls.call("userfaultfd", os.O_CLOEXEC | 1)


@attempt()
def makes_a_ring_of_calls(at: Targets):
    """io_uring_setup(): calls that no filter sees."""
    return calls.call("io_uring_setup", 4, create_string_buffer(120))


@attempt()
def hides_memory_from_the_kernel(at: Targets):
    """memfd_secret(): memory that is counted nowhere."""
    return calls.call("memfd_secret", 0)


@attempt()
def watches_all_files(at: Targets):
    """fanotify_init()."""
    return calls.call("fanotify_init", 0x200, os.O_RDONLY)


@attempt()
def leaves_a_key(at: Targets):
    """add_key() to the keyring of the user, which the next job of the uid reads."""
    key = calls.call("add_key", b"user", b"forgesyte-escape", b"left", 4, USER_KEYRING)
    calls.call("keyctl", KEYCTL_INVALIDATE, key, 0, 0, 0)
    return key


@attempt("secret")
def reads_a_shared_segment(at: Targets):
    """shmat() of a service's System V segment."""
    address = calls.call("shmat", at.segment, 0, 0o10000)
    return ctypes.string_at(address, 64)


@attempt()
def leaves_a_shared_segment(at: Targets):
    """shmget(): memory that outlives every process."""
    segment = calls.call("shmget", IPC_PRIVATE, 4096, IPC_CREAT | 0o600)
    calls.call("shmctl", segment, IPC_RMID, 0)
    return segment


@attempt()
def leaves_a_message_queue(at: Targets):
    """msgget(): a queue that outlives every process."""
    queue = calls.call("msgget", IPC_PRIVATE, IPC_CREAT | 0o600)
    calls.call("msgctl", queue, IPC_RMID, 0)
    return queue


@attempt()
def leaves_a_semaphore(at: Targets):
    """semget(): a semaphore that outlives every process."""
    semaphore = calls.call("semget", IPC_PRIVATE, 1, IPC_CREAT | 0o600)
    calls.call("semctl", semaphore, 0, IPC_RMID, 0)
    return semaphore


@attempt()
def leaves_a_posix_queue(at: Targets):
    """mq_open(): a queue with a name."""
    name = f"forgesyte-escape-{os.getpid()}".encode()
    queue = calls.call("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, 0)
    calls.call("mq_unlink", name)
    return queue


@attempt()
def reads_the_kernels_ring(at: Targets):
    """syslog(SYSLOG_ACTION_READ_ALL)."""
    return calls.call("syslog", 3, create_string_buffer(512), 512)


@attempt()
def sets_the_clock(at: Targets):
    """clock_settime() (to what it is)."""
    seconds, rest = divmod(time.clock_gettime_ns(time.CLOCK_REALTIME), 10**9)
    calls.call("clock_settime", time.CLOCK_REALTIME, create_string_buffer(struct.pack("qq", seconds, rest), 16))
    return "set"


@attempt()
def names_the_machine(at: Targets):
    """sethostname() (to what it is)."""
    name = socket.gethostname().encode()
    return unless_pretended(calls.call("sethostname", name, len(name)) == 0)


@attempt()
def reaches_the_swap(at: Targets):
    """swapoff() gets past the check of who asks (there is no such device)."""
    return past(lambda: calls.call("swapoff", b"/no/such/device"), errno.ENOENT)


@attempt()
def changes_how_it_is_run(at: Targets):
    """personality(): addresses that can be foreseen."""

    def change(at: Targets) -> str:
        calls.call("personality", 0x0040000)
        return unless_pretended(bool(calls.call("personality", 0xFFFFFFFF) & 0x0040000))

    return in_child(change, at)


def past(act, expected: int) -> str:
    """Return a proof when the kernel got as far as an error that is not about rights."""
    try:
        act()
    except OSError as error:
        if error.errno != expected:
            raise
    return "past the check"
