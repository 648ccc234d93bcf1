"""What takes more than a sandbox may: disk, names, processes, threads, memory. Acts at the frame, ends as it ends."""

import os
import threading
from collections.abc import Callable

MIB = 1 << 20

GREEDY: dict[str, Callable[[], object]] = {}


def greedy(act: Callable[[], object]) -> Callable[[], object]:
    """Make the decorated function one that a job can be asked for."""
    GREEDY[act.__name__.replace("_", "-")] = act
    return act


@greedy
def fills_the_disk():
    """Zeros into its working folder, many files of a few MiB."""
    number = 0
    while True:
        with open(f"zeros-{number}", "wb") as file:  # noqa: PTH123 - no Path needed
            file.write(bytes(4 * MIB))
        number += 1


@greedy
def fills_one_file():
    """One file without end: RLIMIT_FSIZE answers, then it goes on with the next."""
    descriptor = os.open("zeros", os.O_WRONLY | os.O_CREAT)
    written = 0
    try:
        while True:
            written += os.write(descriptor, bytes(MIB))
    except OSError as error:
        return {"errno": os.strerror(error.errno), "written": written}


@greedy
def makes_countless_files():
    """Empty files take no bytes, but names."""
    number = 0
    while True:
        os.close(os.open(f"empty-{number}", os.O_WRONLY | os.O_CREAT))
        number += 1


@greedy
def forks_without_end():
    """Children that wait, until no more can be made."""
    made, why = 0, ""
    while not why:
        try:
            pid = os.fork()
        except OSError as error:
            why = os.strerror(error.errno)
            break
        if pid == 0:
            threading.Event().wait()
        made += 1
        if made > 2000:
            why = "2000 were made"
    return {"made": made, "why": why}


@greedy
def starts_threads_without_end():
    """Threads that wait, until no more can be started."""
    made = 0
    try:
        while made < 5000:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            made += 1
    except (RuntimeError, MemoryError) as error:
        return {"made": made, "why": type(error).__name__}
    return {"made": made, "why": "5000 were made"}


@greedy
def hides_memory_in_a_nameless_file():
    """memfd_create() counts in no process until it is mapped; many, none as large as a file may be."""
    while True:
        os.write(os.memfd_create("hidden"), bytes(4 * MIB))


@greedy
def leaves_a_core():
    """A child that aborts would leave its memory in a file."""
    pid = os.fork()
    if pid == 0:
        os.abort()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"code": code, "files": sorted(os.listdir("."))}  # noqa: PTH208 - names alone


@greedy
def opens_files_without_end():
    """Descriptors until no more can be opened."""
    held = []
    try:
        while len(held) < 1 << 17:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        for descriptor in held:
            os.close(descriptor)
        return {"made": len(held), "why": os.strerror(error.errno)}
    return {"made": len(held), "why": "131072 were opened"}
