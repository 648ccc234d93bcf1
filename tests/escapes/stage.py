"""What stands outside the sandbox for the attempts, under the service's uid, and how the harness sees what they did.

Every check looks from outside: at the file, at the other process, at what arrived. Only where nothing outside shows
does an attempt's own word count.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Callable
from contextlib import ExitStack
from ctypes import memmove
from pathlib import Path
from typing import Any, Self

import orjson

from forgesyte_escaping import calls
from forgesyte_escaping.attempting import ATTEMPTS, Attempt
from tests.escapes.listeners import Listeners

VICTIM = Path(__file__).with_name("victim.py")
CONTENT = b"the content of a file outside\n"
WAIT_S = 1.0
"""How long a check that follows a success is given to see it; a refused attempt is looked at once."""

FIRST_SIGNAL = signal.SIGRTMIN + 2
TO_ALL = signal.SIGURG if os.geteuid() == 0 else signal.SIGWINCH
"""What signals-all-it-may sends; it does no harm. Without the wall root's reaches the other user's processes too, which
run at the same time: so each has one of its own, and listens to that alone."""

BY_SIGNAL = [
    each.name for each in ATTEMPTS.values() if each.seen.endswith("-heard") and each.name != "signals-all-it-may"
]


class Stage:
    """Files, processes and listeners of one configuration. Use it with `with`.

    Attributes:
        secret: the word that only a success can return.
        sibling: what the job beside the attempts says of itself; set by the worker.
        zygote: pid; set by the worker.
    """

    def __init__(self, folder: Path, prepared: Path) -> None:
        self.folder = folder
        self.secret = f"secret-{secrets.token_hex(12)}"
        self.sibling: dict[str, Any] = {}
        self.zygote = 0
        self.zygote_was_stopped = False
        self._prepared = prepared
        self._heard: set[int] = set()
        self._held = ExitStack()
        self._signals = {name: FIRST_SIGNAL + number for number, name in enumerate(BY_SIGNAL)}
        self._signals["signals-all-it-may"] = TO_ALL
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self._make_files()
        self._make_processes()
        self._listeners = Listeners(self.folder, self.secret)
        self._held.callback(self._listeners.close)
        self._make_terminal()
        self._make_segment()
        self._listen_to_signals()
        watcher = threading.Thread(target=self._watch_zygote, daemon=True)
        watcher.start()
        self._held.callback(watcher.join)
        self._held.callback(self._is_over.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def options(self, attempts: list[Attempt], *, input_size: int) -> dict[str, Any]:
        """Return what a job that makes these attempts is told."""
        targets = {
            **self._targets, **self._listeners.targets, "sibling": self.sibling, "zygote": self.zygote,
            "input_size": input_size,
        }  # fmt: skip
        return {"attempts": [each.name for each in attempts], "signals": self._signals, "targets": targets}

    def saw(self, attempt: Attempt, said: dict[str, Any]) -> bool:
        """Whether an attempt succeeded, as seen from outside."""
        if attempt.seen == "":
            return said["succeeded"]
        if attempt.seen == "secret":
            return any(secret in said["proof"] for secret in self._secrets)
        check: Callable[[Attempt], bool] = getattr(self, "_is_" + attempt.seen.replace("-", "_"))
        is_late = said["succeeded"] and not attempt.seen.startswith("file-")
        until = time.monotonic() + (WAIT_S if is_late else 0.0)
        while not (seen := check(attempt)) and time.monotonic() < until:
            self._is_over.wait(0.01)
        return seen

    def _make_files(self) -> None:
        private, open_folder = self.folder / "private", self.folder / "open"
        private.mkdir(mode=0o700)
        open_folder.mkdir()
        open_folder.chmod(0o777)
        (private / "secret").write_text(self.secret)
        (private / "secret").chmod(0o600)
        (self.folder / "public").write_text(self.secret)
        (self.folder / "public").chmod(0o644)
        shared = Path("/dev/shm", f"forgesyte-escape-{secrets.token_hex(6)}")
        self._held.callback(shared.unlink, missing_ok=True)
        shared.write_text(self.secret)
        shared.chmod(0o600)
        self._files = {}
        for each in ATTEMPTS.values():
            if each.seen.startswith("file-"):
                path = self._files[each.name] = open_folder / f"target-of-{each.name}"
                path.write_bytes(CONTENT)
                path.chmod(0o666)
        self._targets: dict[str, Any] = {
            "secret": str(private / "secret"), "private": str(private), "public": str(self.folder / "public"),
            "open_folder": str(open_folder), "shared_memory": str(shared),
            "temporary": f"{tempfile.gettempdir()}/{shared.name}-",
            "files": {name: str(path) for name, path in self._files.items()}, "runner": os.getpid(),
            "setuid_cat": str(self._prepared / "cat"), "roots_file": str(self._prepared / "roots-file"),
            "disk": root_disk(),
        }  # fmt: skip
        self._secrets = [self.secret, (self._prepared / "roots-word").read_text()]

    def _make_processes(self) -> None:
        self._victim_heard = self.folder / "heard-by-victim"
        victims = []
        for heard in (self._victim_heard, self.folder / "heard-by-traced"):
            command = [sys.executable, "-I", "-S", str(VICTIM), str(heard), str(TO_ALL.value), self.secret]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, env={"VICTIM_SECRET": self.secret})
            self._held.callback(end, process)
            victims.append(process)
        self._targets["victim"], self._targets["traced"] = (orjson.loads(each.stdout.readline()) for each in victims)
        self._lambs = {}
        for each in ATTEMPTS.values():
            if each.seen.startswith("lamb-"):
                self._lambs[each.name] = subprocess.Popen(["sleep", "600"], start_new_session=True)
                self._held.callback(end, self._lambs[each.name])
        self._targets["lambs"] = {name: process.pid for name, process in self._lambs.items()}

    def _make_terminal(self) -> None:
        master, slave = os.openpty()
        self._held.callback(os.close, master)
        self._held.callback(os.close, slave)
        os.set_blocking(slave, False)
        tty.setraw(slave)
        self._terminal = slave
        self._targets["terminal"] = os.ttyname(slave)

    def _make_segment(self) -> None:
        segment = calls.call("shmget", 0, 4096, 0o1600)
        self._held.callback(calls.call, "shmctl", segment, 0, 0)
        memmove(calls.call("shmat", segment, 0, 0), self.secret.encode(), len(self.secret))
        self._targets["segment"] = segment

    def _listen_to_signals(self) -> None:
        for number in (TO_ALL, *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)):
            self._held.callback(signal.signal, number, signal.signal(number, lambda number, _: self._heard.add(number)))

    def _watch_zygote(self) -> None:
        """Let a stopped zygote go on, so that the attempts after it run."""
        while not self._is_over.wait(0.02):
            if state(self.zygote) == "T":
                self.zygote_was_stopped = True
                os.kill(self.zygote, signal.SIGCONT)

    def _is_made(self, attempt: Attempt) -> bool:
        places = (f"{self._targets['open_folder']}/", self._targets["temporary"], f"{self.sibling['scratch']}/")
        found = [path for place in places if os.path.lexists(path := Path(f"{place}{attempt.name}"))]
        for path in found:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        return bool(found)

    def _is_file_changed(self, attempt: Attempt) -> bool:
        return self._files[attempt.name].read_bytes() != CONTENT

    def _is_file_gone(self, attempt: Attempt) -> bool:
        return not self._files[attempt.name].exists()

    def _is_file_moded(self, attempt: Attempt) -> bool:
        return self._files[attempt.name].stat().st_mode & 0o777 != 0o666

    def _is_file_grouped(self, attempt: Attempt) -> bool:
        return self._files[attempt.name].stat().st_gid == 12345

    def _is_file_timed(self, attempt: Attempt) -> bool:
        return self._files[attempt.name].stat().st_mtime == 1

    def _is_file_marked(self, attempt: Attempt) -> bool:
        return "user.escape" in os.listxattr(self._files[attempt.name])

    def _is_arrived(self, attempt: Attempt) -> bool:
        return self._listeners.has(attempt.name)

    def _is_victim_heard(self, attempt: Attempt) -> bool:
        return self._signals[attempt.name] in numbers(self._victim_heard)

    def _is_sibling_heard(self, attempt: Attempt) -> bool:
        return self._signals[attempt.name] in numbers(Path(self.sibling["scratch"], "heard"))

    def _is_runner_heard(self, attempt: Attempt) -> bool:
        return self._signals[attempt.name] in self._heard

    def _is_victim_changed(self, attempt: Attempt) -> bool:
        victim = self._targets["victim"]
        with Path(f"/proc/{victim['pid']}/mem").open("rb", 0) as memory:
            memory.seek(victim["changeable"])
            return (b"call" if attempt.name == "changes-memory-of-a-service" else b"file") in memory.read(8)

    def _is_victim_oom(self, _: Attempt) -> bool:
        return Path(f"/proc/{self._victim_pid}/oom_score_adj").read_text().strip() == "900"

    def _is_victim_limited(self, _: Attempt) -> bool:
        limits = Path(f"/proc/{self._victim_pid}/limits").read_text().splitlines()
        return any(line.startswith("Max open files") and " 77 " in line for line in limits)

    def _is_victim_bound(self, _: Attempt) -> bool:
        return len(os.sched_getaffinity(self._victim_pid)) == 1

    def _is_victim_batch(self, _: Attempt) -> bool:
        return os.sched_getscheduler(self._victim_pid) == os.SCHED_BATCH

    def _is_victim_nice(self, _: Attempt) -> bool:
        return os.getpriority(os.PRIO_PROCESS, self._victim_pid) == 19

    def _is_victim_idle(self, _: Attempt) -> bool:
        return calls.call("ioprio_get", 1, self._victim_pid) == 3 << 13

    def _is_lamb_dead(self, attempt: Attempt) -> bool:
        return self._lambs[attempt.name].poll() is not None

    def _is_lamb_stopped(self, attempt: Attempt) -> bool:
        return state(self._lambs[attempt.name].pid) == "T"

    def _is_zygote_stopped(self, _: Attempt) -> bool:
        return self.zygote_was_stopped

    def _is_zygote_dead(self, _: Attempt) -> bool:
        return state(self.zygote) in "ZX?"

    def _is_typed(self, _: Attempt) -> bool:
        try:
            return os.read(self._terminal, 1) == b"k"
        except BlockingIOError:
            return False

    @property
    def _victim_pid(self) -> int:
        return self._targets["victim"]["pid"]


def numbers(file: Path) -> set[int]:
    """The signals in a victim's file."""
    return {int(line) for line in file.read_text().split()} if file.exists() else set()


def state(pid: int) -> str:
    """A process's state letter; `?` when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "?"


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill and reap a process, stopped or not."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def root_disk() -> str:
    """Return the block device that the root folder lies on; any name where that cannot be told."""
    device = Path("/").stat().st_dev
    for path in Path("/dev").iterdir():
        if path.is_block_device() and path.stat().st_rdev == device:
            return str(path)
    return "/dev/no-disk"
