"""Looks at the machine from outside: which processes of a run are still alive, whatever they did to hide."""

from pathlib import Path

import psutil

MARK_NAME = "STABILITY_MARK"


def survivors(mark: str, *, ancestors: list[int], expected: set[int], noted: Path | None = None) -> list[str]:
    """Processes of a run that are alive after it.

    Found by several traces, because each can be wiped by the fault: a random mark in the environment, descent from the
    zygote (its orphans' subreaper), the pids that the fault itself noted, the odd argument of the programs it runs.

    Args:
        mark: a random word in the environment that the zygote was started with.
        ancestors: processes whose descendants count.
        expected: processes that may live: the ancestors, a healthy neighbour.
        noted: the file in which faults note what they started (pid and start time).
    """
    found = carriers(mark) | noted_pids(noted) | sleepers(mark)
    for pid in ancestors:
        found |= descendants(pid)
    return [describe(pid) for pid in sorted(found - expected - {*ancestors}) if is_alive(pid)]


def carriers(mark: str) -> set[int]:
    """Processes with the mark in the environment they were started with."""
    return {pid for pid in psutil.pids() if mark.encode() in read(Path(f"/proc/{pid}/environ"))}


def sleepers(mark: str) -> set[int]:
    """The programs that the faults of this run start with nothing of ours in their environment.

    Known by how long they sleep, which is made from the mark: others run the same faults on this machine.
    """
    word = f"6007.{int.from_bytes(mark.encode())}"
    wanted = f"sleep\0{word}\0".encode()
    return {pid for pid in psutil.pids() if read(Path(f"/proc/{pid}/cmdline")) == wanted}


def read(file: Path) -> bytes:
    """The content of a file in /proc; empty when its process is gone."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> set[int]:
    """All processes below one."""
    try:
        return {process.pid for process in psutil.Process(pid).children(recursive=True)}
    except psutil.Error:
        return set()


def noted_pids(file: Path | None) -> set[int]:
    """The pids in the file that still belong to the processes which were noted."""
    if file is None or not file.exists():
        return set()
    pairs = [line.split() for line in file.read_text().splitlines()]
    noted_s = file.stat().st_mtime
    return {int(pid) for pid, ticks in pairs if is_the_noted(int(pid), ticks, noted_s)}


def is_the_noted(pid: int, ticks: str, noted_s: float) -> bool:
    """Whether a pid still belongs to the process that was noted; one that began after the note is another."""
    if ticks != "?":
        return started_at_ticks(pid) == ticks
    try:
        return psutil.Process(pid).create_time() <= noted_s
    except psutil.Error:
        return False


def started_at_ticks(pid: int) -> str | None:
    """When a process began, in clock ticks; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def is_alive(pid: int) -> bool:
    """Whether the process lives; a zombie is dead, and so is one whose memory the kernel has taken back."""
    try:
        has_memory = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) > 0
        return has_memory and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def describe(pid: int) -> str:
    """Number and command line of a process."""
    try:
        return f"{pid} {' '.join(psutil.Process(pid).cmdline())[:100]}"
    except psutil.Error:
        return f"{pid} (gone meanwhile)"


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
