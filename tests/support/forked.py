"""Programs of the product in forks of a process that has imported them: what a start tests is the program, not Python.

For the many tests that need a runner or the command and do not look at how it starts; some in each room start it as its
user does (`python -m ...`, `forgesyte up`).
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

_SERVER = Path(__file__).with_name("fork_server.py")
_MORE = {"forgesyte_launcher": ("forgesyte_launcher.stack.stack", "forgesyte_launcher.commands.run")}
"""What a program imports only when it knows its command, so that it is there before the fork."""

PLAIN_TERMINAL = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
"""A wide terminal without colours, of which the command's console learns when it is imported."""

_servers: dict[str, socket.socket] = {}


class Forked:
    """A running program; the part of subprocess.Popen that tests use."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._line())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code (minus the signal), or None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = int(self._line())
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; returns the exit code."""
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Signal it if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            byte = self._status.read(1)
            assert byte, "the fork server is gone"
            line += byte
        return line


def start_forked(
    module: str,
    *arguments: str,
    env: dict[str, str],
    output: IO[bytes],
    errors: IO[bytes] | None = None,
    cwd: Path | None = None,
) -> Forked:
    """Start `python -m MODULE arguments...` in a session of its own; without `errors` both outputs are one."""
    order = {"argv": arguments, "env": env, "cwd": str(cwd or Path.cwd())}
    outputs = [output.fileno(), (errors or output).fileno()]
    ours, theirs = os.pipe()
    try:
        socket.send_fds(_server(module), [json.dumps(order).encode()], [*outputs, theirs])
    finally:
        os.close(theirs)
    return Forked(ours)


def run_forked(
    module: str, *arguments: str, env: dict[str, str], cwd: Path | None = None, timeout_s: float = 170
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        program = start_forked(module, *arguments, env=env, output=output, errors=errors, cwd=cwd)
        code = program.wait(timeout_s)
        texts = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
    return subprocess.CompletedProcess(arguments, code, *texts)


def _server(module: str) -> socket.socket:
    """The socket of the module's server, started at the first use."""
    if module not in _servers:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", str(_SERVER), module, *_MORE.get(module, ())]
        with theirs:
            process = subprocess.Popen(command, stdin=theirs.fileno(), env={**os.environ, **PLAIN_TERMINAL})
        _servers[module] = ours
        atexit.register(_stop, ours, process)
    return _servers[module]


def _stop(orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
    orders.close()
    process.wait()
