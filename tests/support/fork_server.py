"""A process that has imported one program and runs it in forks, so that a start costs no second of imports.

`python -P fork_server.py MODULE` with a Unix socket as standard input. An order is one packet of JSON {argv, env, cwd}
with three descriptors: standard output, standard error, and the status pipe, which gets `pid\\n` at the start and the
exit code (or minus the signal) at the end. Between server and program stands one process that waits for the program,
so that the server never does. It imports nothing of `tests`: the program must find no module that a real start would
not load.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from typing import Any

ORDER_BYTES = 1 << 18


def main(module: str) -> None:
    """Import the program once, then run it for each order until the socket closes."""
    entry = f"{module}.__main__"
    importlib.import_module(entry)
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    orders = socket.socket(fileno=0)
    while True:
        data, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES, 3)
        if not data:
            _reap()
            return
        *outputs, status = descriptors
        if os.fork() == 0:
            orders.close()
            if _is_program(outputs, status):
                _become(json.loads(data), module)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _is_program(outputs: list[int], status: int) -> bool:
    """Fork once more; the process between waits for the program and leaves, the program itself goes on."""
    os.setsid()
    pid = os.fork()
    if pid == 0:
        os.close(status)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in enumerate((null, *outputs)):
            os.dup2(source, target)
        os.closerange(3, max(outputs) + 1)
        return True
    os.write(status, b"%d\n" % pid)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(status, b"%d\n" % code)
    os._exit(0)


def _become(order: dict[str, Any], module: str) -> None:
    """Be what `python -m MODULE argv...` is with this environment and folder."""
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.path[:0] = [order["cwd"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    importlib.invalidate_caches()
    sys.argv[1:] = order["argv"]
    sys.modules.pop(f"{module}.__main__", None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(sys.argv[1])
