"""Attempts on other processes: signals by every call, debugging, descriptors, priorities, leaving the family."""

import fcntl
import os
import resource
import signal
import socket
import struct
from ctypes import addressof, c_int, c_long, create_string_buffer

from . import calls
from .attempting import Stopped, Targets, attempt, in_child, unless_pretended

PTRACE_PEEKDATA, PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SEIZE = 2, 16, 17, 0x4206
F_SETSIG, FIOSETOWN, CLONE_PARENT = 10, 0x8901, 0x8000
PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 3, 4
PR_SET_SUBREAPER, PR_GET_SUBREAPER = 36, 37
CAP_SYS_ADMIN = 21


@attempt("zygote-dead", is_alone=True, is_deadly=True)
def kills_the_zygote(at: Targets):
    """SIGKILL to its parent, from which all sandboxes come."""
    os.kill(os.getppid(), signal.SIGKILL)


@attempt("zygote-stopped")
def stops_the_zygote(at: Targets):
    """SIGSTOP to its parent."""
    os.kill(os.getppid(), signal.SIGSTOP)


@attempt("lamb-dead")
def kills_a_service(at: Targets):
    """SIGKILL to a process of the service's uid, as runner and nats-server are."""
    os.kill(at.lambs["kills-a-service"], signal.SIGKILL)


@attempt("lamb-stopped")
def stops_a_service(at: Targets):
    """SIGSTOP to a process of the service's uid: nothing moves, nothing ends."""
    os.kill(at.lambs["stops-a-service"], signal.SIGSTOP)


@attempt("lamb-dead")
def kills_the_group_of_a_service(at: Targets):
    """SIGKILL to a process group."""
    os.killpg(at.lambs["kills-the-group-of-a-service"], signal.SIGKILL)


@attempt("runner-heard")
def signals_the_runner(at: Targets):
    """kill() to the zygote's parent."""
    os.kill(at.runner, at.signal)


@attempt("runner-heard")
def queues_a_signal_to_the_runner(at: Targets):
    """rt_sigqueueinfo()."""
    calls.call("rt_sigqueueinfo", at.runner, at.signal, calls.signal_info(at.signal))


@attempt("runner-heard")
def signals_a_thread_of_the_runner(at: Targets):
    """tgkill()."""
    calls.call("tgkill", at.runner, at.runner, at.signal)


@attempt("victim-heard")
def signals_a_thread_by_tkill(at: Targets):
    """tkill()."""
    calls.call("tkill", at.victim["pid"], at.signal)


@attempt("victim-heard")
def queues_a_signal_to_a_thread(at: Targets):
    """rt_tgsigqueueinfo()."""
    pid = at.victim["pid"]
    calls.call("rt_tgsigqueueinfo", pid, pid, at.signal, calls.signal_info(at.signal))


@attempt("victim-heard")
def signals_by_a_process_descriptor(at: Targets):
    """pidfd_send_signal()."""
    signal.pidfd_send_signal(os.pidfd_open(at.victim["pid"]), at.signal)


@attempt("sibling-heard")
def signals_another_job(at: Targets):
    """kill() to the sandbox beside it."""
    os.kill(at.sibling["pid"], at.signal)


@attempt("sibling-heard")
def signals_a_child_of_another_job(at: Targets):
    """kill() to a process that the sandbox beside it started."""
    os.kill(at.sibling["child"], at.signal)


@attempt("victim-heard")
def signals_all_it_may(at: Targets):
    """kill(-1): every process of the uid, or of the machine, with a signal that does no harm."""
    os.kill(-1, at.signal)


@attempt("victim-heard")
def signals_from_a_child_it_forked(at: Targets):
    """kill() by a forked process."""
    return in_child(lambda at: os.kill(at.victim["pid"], at.signal), at)


@attempt("victim-heard")
def lets_the_kernel_signal(at: Targets):
    """F_SETOWN and F_SETSIG: the kernel signals the owner when something arrives."""
    ours, theirs = socket.socketpair()
    fcntl.fcntl(ours, fcntl.F_SETOWN, at.victim["pid"])
    fcntl.fcntl(ours, F_SETSIG, at.signal)
    fcntl.fcntl(ours, fcntl.F_SETFL, fcntl.fcntl(ours, fcntl.F_GETFL) | os.O_ASYNC)
    theirs.send(b"x")


@attempt("victim-heard")
def lets_the_kernel_signal_by_an_ioctl(at: Targets):
    """FIOSETOWN does what F_SETOWN does."""
    ours, theirs = socket.socketpair()
    fcntl.ioctl(ours, FIOSETOWN, struct.pack("i", at.victim["pid"]))
    fcntl.fcntl(ours, F_SETSIG, at.signal)
    fcntl.fcntl(ours, fcntl.F_SETFL, fcntl.fcntl(ours, fcntl.F_GETFL) | os.O_ASYNC)
    theirs.send(b"x")


@attempt("victim-heard")
def signals_by_the_32_bit_door(at: Targets):
    """int 0x80 has other numbers than the filter knows."""
    if calls.COLUMN:
        raise Stopped("x86-64 alone")

    def enter(at: Targets) -> int:
        import ctypes
        import mmap

        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\x53\xb8" + struct.pack("<I", 37) + b"\xbb" + struct.pack("<I", at.victim["pid"]))
        code.write(b"\xb9" + struct.pack("<I", at.signal) + b"\xcd\x80\x5b\xc3")
        answer = ctypes.CFUNCTYPE(ctypes.c_int)(addressof(c_int.from_buffer(code)))()
        if answer < 0:
            raise OSError(-answer, "kill, by its 32-bit number")
        return answer

    return in_child(enter, at)


@attempt("secret")
def debugs_a_service(at: Targets):
    """ptrace(PTRACE_ATTACH) and a look at its memory; it stands still meanwhile."""
    pid, word, got = at.traced["pid"], c_long(), b""
    calls.call("ptrace", PTRACE_ATTACH, pid, 0, 0)
    try:
        os.waitpid(pid, 0)
        for offset in range(0, 32, 8):
            calls.call("ptrace", PTRACE_PEEKDATA, pid, at.traced["address"] + offset, addressof(word))
            got += word.value.to_bytes(8, "little", signed=True)
    finally:
        calls.call("ptrace", PTRACE_DETACH, pid, 0, 0)
    return got


@attempt()
def debugs_another_job(at: Targets):
    """ptrace(PTRACE_SEIZE) of the sandbox beside it."""

    def seize(at: Targets) -> int:
        return calls.call("ptrace", PTRACE_SEIZE, at.sibling["child"], 0, 0)

    return in_child(seize, at)


@attempt("secret")
def copies_memory_of_a_service(at: Targets):
    """process_vm_readv()."""
    buffer = create_string_buffer(64)
    ours, theirs = calls.Vector(addressof(buffer), 64), calls.Vector(at.victim["address"], 64)
    calls.call("process_vm_readv", at.victim["pid"], addressof(ours), 1, addressof(theirs), 1, 0)
    return buffer.raw


@attempt("victim-changed")
def changes_memory_of_a_service(at: Targets):
    """process_vm_writev()."""
    buffer = create_string_buffer(b"call", 4)
    ours, theirs = calls.Vector(addressof(buffer), 4), calls.Vector(at.victim["changeable"] + 4, 4)
    return calls.call("process_vm_writev", at.victim["pid"], addressof(ours), 1, addressof(theirs), 1, 0)


@attempt("secret")
def takes_a_descriptor_of_a_service(at: Targets):
    """pidfd_getfd(): a copy of a descriptor of another process."""
    process = os.pidfd_open(at.victim["pid"])
    return os.pread(calls.call("pidfd_getfd", process, at.victim["descriptor"], 0), 4096, 0)


@attempt()
def watches_a_service_by_its_descriptor(at: Targets):
    """pidfd_open() of another process."""
    return os.pidfd_open(at.victim["pid"])


@attempt()
def compares_itself_with_a_service(at: Targets):
    """kcmp(): where kernel objects of another process lie."""
    return calls.call("kcmp", os.getpid(), at.victim["pid"], 1, 0, 0)


@attempt()
def looks_where_the_pages_of_a_service_lie(at: Targets):
    """move_pages() of another process."""
    page, status = c_long(at.victim["address"] & ~4095), c_int(-1)
    calls.call("move_pages", at.victim["pid"], 1, addressof(page), 0, addressof(status), 0)
    return unless_pretended(status.value >= 0)


@attempt("victim-limited")
def lowers_the_limits_of_a_service(at: Targets):
    """prlimit(): how many files another process may open."""
    resource.prlimit(at.victim["pid"], resource.RLIMIT_NOFILE, (77, 77))


@attempt("victim-bound")
def binds_a_service_to_one_core(at: Targets):
    """sched_setaffinity() of another process."""
    os.sched_setaffinity(at.victim["pid"], {min(os.sched_getaffinity(0))})


@attempt("victim-batch")
def slows_the_scheduling_of_a_service(at: Targets):
    """sched_setscheduler() of another process."""
    os.sched_setscheduler(at.victim["pid"], os.SCHED_BATCH, os.sched_param(0))


@attempt("victim-nice")
def makes_a_service_nice(at: Targets):
    """setpriority() of another process."""
    os.setpriority(os.PRIO_PROCESS, at.victim["pid"], 19)


@attempt("victim-idle")
def slows_the_disk_of_a_service(at: Targets):
    """ioprio_set() of another process: the idle class."""
    calls.call("ioprio_set", 1, at.victim["pid"], 3 << 13)


@attempt()
def takes_all_of_the_processor(at: Targets):
    """SCHED_FIFO for itself: no other process of the core runs before it."""

    def hurry(at: Targets) -> str:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        return unless_pretended(os.sched_getscheduler(0) == os.SCHED_FIFO)

    return in_child(hurry, at)


@attempt()
def goes_before_the_services(at: Targets):
    """A priority above that of the services."""
    return in_child(lambda at: os.nice(-5), at)


@attempt()
def leaves_its_session(at: Targets):
    """setsid() in a child, so that a kill of the group misses it."""

    def leave(at: Targets) -> str:
        os.setsid()
        return unless_pretended(os.getsid(0) == os.getpid())

    return in_child(leave, at)


@attempt()
def leaves_its_group(at: Targets):
    """setpgid() in a child."""

    def leave(at: Targets) -> str:
        os.setpgid(0, 0)
        return unless_pretended(os.getpgid(0) == os.getpid())

    return in_child(leave, at)


@attempt(is_alone=True)
def gives_its_child_to_the_zygote(at: Targets):
    """clone(CLONE_PARENT): the child is the zygote's, as a sandbox is (which then kills it, with its group)."""
    reading, writing = os.pipe()
    pid = calls.call("clone", CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os.write(writing, b"1" if os.getppid() == at.zygote else b"0")
        os._exit(0)
    os.close(writing)
    return unless_pretended(os.read(reading, 1) == b"1")


@attempt()
def outlives_the_zygote(at: Targets):
    """prctl(PR_SET_PDEATHSIG, 0): it would not end with its parent."""
    found = c_int()
    calls.call("prctl", PR_SET_PDEATHSIG, 0, 0, 0, 0)
    calls.call("prctl", 2, addressof(found), 0, 0, 0)
    calls.call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return unless_pretended(found.value == 0)


@attempt()
def hides_from_those_who_look(at: Targets):
    """prctl(PR_SET_DUMPABLE, 0): its memory could not be counted any more."""

    def hide(at: Targets) -> str:
        calls.call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
        return unless_pretended(calls.call("prctl", PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)

    return in_child(hide, at)


@attempt()
def adopts_no_orphans(at: Targets):
    """prctl(PR_SET_CHILD_SUBREAPER): what it starts would be counted with another process."""

    def change(at: Targets) -> str:
        calls.call("prctl", PR_SET_SUBREAPER, 1, 0, 0, 0)
        found = c_int()
        calls.call("prctl", PR_GET_SUBREAPER, addressof(found), 0, 0, 0)
        return unless_pretended(found.value == 1)

    return in_child(change, at)


@attempt()
def becomes_root(at: Targets):
    """setresuid(0, 0, 0)."""

    def become(at: Targets) -> str:
        os.setresuid(0, 0, 0)
        return unless_pretended(os.geteuid() == 0)

    return in_child(become, at)


@attempt()
def becomes_another_user(at: Targets):
    """setresuid() to the uid of another sandbox."""

    def become(at: Targets) -> str:
        os.setresuid(60601, 60601, 60601)
        return unless_pretended(os.geteuid() == 60601)

    return in_child(become, at)


@attempt()
def holds_the_powers_of_an_administrator(at: Targets):
    """CAP_SYS_ADMIN among its capabilities."""
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)  # noqa: PTH123, SIM115 - short
    return unless_pretended(bool(int(status["CapEff"], 16) >> CAP_SYS_ADMIN & 1))
