"""The process that forks sandboxes: single-threaded, warm (numpy, av, cv2, sdk), and never touched by a plugin.

A fork takes milliseconds, a new interpreter hundreds of them. The zygote refuses to fork with more than one thread: a
lock held by a thread that is not copied would hang the child. Rejected: forking from the services (threads, asyncio,
open sockets, credentials in memory), preloading plugins here (one could spoil its neighbours). It exits when its parent
does and kills everything it ever started; shared/kill.py says how sandboxes die.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from typing import Any

from forgesyte_sandbox.shared import zygote_protocol
from forgesyte_sandbox.shared.kernel import become_subreaper, die_with_parent, set_thread_stack
from forgesyte_sandbox.shared.kill import kill_group, kill_stray
from forgesyte_sandbox.shared.process_tree import children_of, names_in_proc
from forgesyte_sandbox.shared.wall_rules import WallRules

from .wall.foundation import Foundation
from .wall.referees import Referees

_THREAD_STACK_BYTES = 1 << 20
_LEAVE_LIMIT_S = 5.0
_REPORT_LIMIT_S = 5.0
_BUSY_MS, _WATCH_MS = 20, 500


class _Zygote:
    """The loop: fork on request, reap, kill strays, report."""

    def __init__(self, sock: socket.socket, wakeups: socket.socket, parent_pid: int, foundation: Foundation) -> None:
        self._parent_pid = parent_pid
        self._foundation = foundation
        self._control = sock
        self._wakeups = wakeups
        self._known: dict[int, int] = {}
        self._reports: list[tuple[float, dict[str, Any]]] = []
        self._leave_by: float | None = None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll.register(wakeups, select.POLLIN)
        self._referees = Referees(self._poll)

    def serve(self) -> None:
        """Work until the parent is gone and all children are dead."""
        self._say({"event": "ready", **self._foundation.facts()})
        while self._leave_by is None or (children_of(os.getpid()) and time.monotonic() < self._leave_by):
            events = {fd for fd, _ in self._poll.poll(self._patience_ms())}
            # The kernel sends SIGTERM when the parent dies; the zygote ignores any other SIGTERM.
            if self._wakeups.fileno() in events and self._wakeups.recv(4096) and os.getppid() != self._parent_pid:
                self._leave()
            self._referees.serve(events)
            self._reap()
            strays = self._kill_strays()
            self._report(strays)
            if self._control.fileno() in events and self._leave_by is None:
                self._answer()

    def _patience_ms(self) -> int | None:
        if self._reports or self._leave_by is not None:
            return _BUSY_MS
        return _WATCH_MS if self._known else None

    def _leave(self) -> None:
        # The parent's death shows twice (the signal and the closed socket); the limit runs from the first.
        if self._leave_by is None:
            self._leave_by = time.monotonic() + _LEAVE_LIMIT_S
            self._poll.unregister(self._control)
            for pid in self._known:
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None:
                return
            if dead.si_pid in self._known:
                kill_group(dead.si_pid)
            _, status = os.waitpid(dead.si_pid, 0)
            request = self._known.pop(dead.si_pid, None)
            if request is not None:
                report = {"event": "exited", "id": request, "code": os.waitstatus_to_exitcode(status)}
                self._reports.append((time.monotonic() + _REPORT_LIMIT_S, report))

    def _kill_strays(self) -> int:
        if not self._reports and not self._known and self._leave_by is None:
            return 0
        strays = children_of(os.getpid()) - self._known.keys()
        for pid in strays:
            kill_stray(pid)
        return len(strays)

    def _report(self, strays: int) -> None:
        now = time.monotonic()
        due = [report for limit, report in self._reports if not strays or now > limit]
        self._reports = [] if not strays else [entry for entry in self._reports if now <= entry[0]]
        for report in due:
            self._say({**report, "survivors": strays})

    def _answer(self) -> None:
        packet = zygote_protocol.receive(self._control)
        if packet is None:
            self._leave()
            return
        request, descriptors = packet
        if "ping" in request:
            self._say({"event": "pong"})
            return
        try:
            self._fork(request, descriptors)
        except OSError as error:
            self._say({"event": "refused", "id": request["id"], "reason": f"fork: {error}"})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> None:
        threads = len(names_in_proc(os.getpid(), "task"))
        if threads > 1:
            reason = f"the zygote has {threads} threads and may fork only while it has one"
            self._say({"event": "refused", "id": request["id"], "reason": reason})
            return
        ours, its = socket.socketpair()
        with its:
            pid = os.fork()
            if pid == 0:
                _become_sandbox(request, [*descriptors, its.detach()], self._foundation)
        self._known[pid] = request["id"]
        self._referees.expect(pid, ours)
        pidfd = os.pidfd_open(pid)
        try:
            self._say({"event": "forked", "id": request["id"], "pid": pid}, (pidfd,))
        finally:
            os.close(pidfd)

    def _say(self, packet: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        try:
            zygote_protocol.send(self._control, packet, descriptors)
        except ConnectionError:
            self._leave()


def _become_sandbox(request: dict[str, Any], descriptors: list[int], foundation: Foundation) -> None:
    # Whatever happens, the fork must never return into the zygote's loop.
    from .child import Descriptors, enter
    from .wall.build import WalledHome

    try:
        enter(Descriptors(*descriptors), home=WalledHome(**request["home"]), foundation=foundation)
    except BaseException:  # noqa: BLE001 - border: sandbox child; the process ends here, the parent sees the code
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(70)


def _preload() -> None:
    import av
    import av.video.reformatter
    import cv2
    import numpy as np

    import forgesyte_sdk

    from . import child
    from .media import image_source, video_source
    from .programs import annotate, decode, job, manifest, policy, probe, warm
    from .wall import build

    cv2.setNumThreads(1)  # several sandboxes share the cores; a plugin may raise it for itself
    del av, forgesyte_sdk, np, child, image_source, video_source, build
    del annotate, decode, job, manifest, policy, probe, warm


def main(arguments: list[str]) -> int:
    """Run the zygote.

    Args:
        arguments: the number of the control socket's descriptor, the parent's process id, and the rules of the wall as
            JSON.
    """
    sock = socket.socket(fileno=int(arguments[0]))
    os.set_inheritable(sock.fileno(), False)
    # SIGTERM and not SIGKILL, so that the zygote can kill what the sandboxes started before it exits.
    parent_pid = int(arguments[1])
    if not die_with_parent(signal.SIGTERM, parent_pid):
        return 0
    become_subreaper()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    set_thread_stack(_THREAD_STACK_BYTES)
    threading.stack_size(_THREAD_STACK_BYTES)
    _preload()
    ours, kernels = socket.socketpair()
    ours.setblocking(False)
    kernels.setblocking(False)
    signal.set_wakeup_fd(kernels.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    foundation = Foundation.find(WallRules.from_dict(json.loads(arguments[2])))
    gc.freeze()  # what is loaded now stays shared: the collector never writes to it
    _Zygote(sock, ours, parent_pid, foundation).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
