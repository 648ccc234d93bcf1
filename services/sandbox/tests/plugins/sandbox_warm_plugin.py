"""A plugin for warm sandboxes: reports the state it finds, then leaves behind what its options name."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput

MIB = 1 << 20
NEVER = threading.Event()
KEPT = []
JOBS = 0
SLEEP = [sys.executable, "-ISc", "import time; time.sleep(600)"]


def keep_a_thread():
    threading.Thread(target=NEVER.wait, name="left-behind", daemon=True).start()


def end_a_thread():
    threading.Thread(target=NEVER.wait, args=(0.1,), daemon=True).start()


def keep_a_process():
    subprocess.Popen(SLEEP)


def keep_a_file():
    KEPT.append(os.open("kept.txt", os.O_CREAT | os.O_WRONLY))


def keep_memory():
    KEPT.append(np.ones(64 * MIB, np.uint8))


def change_everything():
    os.environ.clear()
    os.environ["LEFT"] = "behind"
    sys.path.insert(0, "/nowhere")
    sys.path = [*sys.path, "/nowhere-else"]
    sys.setrecursionlimit(5000)
    sys.setswitchinterval(1)
    sys.stdout = None
    os.umask(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    Path(os.environ.get("HOME", "."), "left.txt").touch()
    Path(PLUGIN.home, "left").mkdir()
    Path(PLUGIN.home, "left", "behind.txt").touch()
    os.chdir("/")


def lower_a_hard_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def wait_for_go():
    while not Path("go").exists():
        NEVER.wait(0.01)


def print_a_secret():
    print("a secret of the first job", flush=True)


LEAVE = {
    "nothing": lambda: None,
    "thread": keep_a_thread,
    "short-thread": end_a_thread,
    "process": keep_a_process,
    "file": keep_a_file,
    "memory": keep_memory,
    "changes": change_everything,
    "hard-limit": lower_a_hard_limit,
    "output": print_a_secret,
    "exit": lambda: os._exit(3),
    "raise": lambda: 1 // 0,
    "hang": lambda: NEVER.wait(),
    "wait": wait_for_go,
    "much-memory": lambda: np.ones(2048 * MIB, np.uint8),
}


class ProcessState(ToolOutput):
    pid: int
    jobs: int
    loads: int
    frames: int
    facts: dict[str, object]


class LeaveOptions(ToolOptions):
    leave: str = "nothing"
    at: int = 2


class Leave(Tool[LeaveOptions, ProcessState]):
    name = "leave"

    def prepare(self, job):
        global JOBS
        JOBS += 1
        self.frames = 0
        self.facts = facts_around(job)

    def process_frame(self, frame):
        self.frames += 1
        if frame.index == self.options.at:
            LEAVE[self.options.leave]()
        return ProcessState(pid=os.getpid(), jobs=JOBS, loads=self.plugin.loads, frames=self.frames, facts=self.facts)


def facts_around(job):
    home, scratch = PLUGIN.home, str(job.scratch)
    return {
        "environ": {name: value.replace(scratch, "SCRATCH") for name, value in sorted(os.environ.items())},
        "in-scratch": sorted(path.name for path in job.scratch.iterdir()),
        "is-in-scratch": job.scratch == Path.cwd(),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "switch": sys.getswitchinterval(),
        "stdout": sys.stdout is not None and sys.stdout.name,
        "umask": read_umask(),
        "sigterm": str(signal.getsignal(signal.SIGTERM)),
        "sigalrm": str(signal.getsignal(signal.SIGALRM)),
        "timer": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        "blocked": [str(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "threads": [thread.name for thread in threading.enumerate() if thread.name != "decode"],
        "home": sorted(str(path.relative_to(home)) for path in home.rglob("*")),
    }


def read_umask():
    found = os.umask(0)
    os.umask(found)
    return found


class Warm(Plugin):
    name = "warm"
    version = "1.0.0"
    isolation = "plugin"
    tools = (Leave,)
    loads = 0

    def load(self, device):
        global PLUGIN
        PLUGIN = self
        self.loads += 1
        self.home = Path.cwd()
        Path("made-by-load.txt").touch()


PLUGIN = None


class LoadsSlowly(Warm):
    """Loads as long as real models do."""

    def load(self, device):
        super().load(device)
        NEVER.wait(1.0)


class StartsAHelperAtLoad(Warm):
    def load(self, device):
        super().load(device)
        self.helper = subprocess.Popen(SLEEP)
