"""Becomes an ordinary user, or stays root, and then another program. A plain script, run by root.

`python -I as_user.py UID FOLDER NEEDED COMMAND...`: UID 0 stays root; NEEDED is a JSON list of folders. They may lie
beneath a folder that others cannot enter (a home folder, 0700): in a mount namespace of its own an empty folder that
every user may enter is laid over each such folder, and what is needed is bound back beneath it, at the same path.
FOLDER gets what only root can prepare: a program that runs as root, and a file that only root may read.
"""

import ctypes
import json
import os
import secrets
import shutil
import sys
from pathlib import Path

CANNOT = "cannot run as another user: "
"""How the reason begins on stderr when this machine does not allow it."""

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    if _libc.mount(*encoded, ctypes.c_ulong(flags), None if data is None else data.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def closed_ancestors(paths: list[Path]) -> dict[Path, list[Path]]:
    """The topmost folders that others cannot enter, each with the paths beneath it."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        for ancestor in [*reversed(path.parents)]:
            if not ancestor.stat().st_mode & 1:
                found.setdefault(ancestor, []).append(path)
                break
    return found


def open_up(paths: list[Path]) -> None:
    """Make the paths reachable for every user, in this process and its children alone."""
    closed = closed_ancestors(paths)
    if not closed:
        return
    os.unshare(os.CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    for folder, needed in closed.items():
        held = {path: os.open(path, os.O_PATH) for path in needed}
        mount("none", str(folder), "tmpfs", 0, "mode=0755")
        for path, descriptor in held.items():
            path.mkdir(parents=True, exist_ok=True)
            mount(f"/proc/self/fd/{descriptor}", str(path), None, MS_BIND | MS_REC)
            os.close(descriptor)


def prepare(folder: Path, uid: int) -> str:
    """Leave root's file, and a program that reads it for every user; return the word in it."""
    word = f"root-{secrets.token_hex(12)}"
    (folder / "roots-word").write_text(word)
    (folder / "roots-word").chmod(0o600)
    os.chown(folder / "roots-word", uid, uid)
    (folder / "roots-file").write_text(word)
    (folder / "roots-file").chmod(0o600)
    cat = shutil.which("cat")
    assert cat is not None
    shutil.copy(cat, folder / "cat")
    (folder / "cat").chmod(0o4755)
    return word


def become(uid: int) -> None:
    """Take the uid, no group but its own, and thereby no capability."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def main(uid: int, folder: Path, needed: list[Path], command: list[str]) -> None:
    """Prepare, become the user, become the program; its environment holds the word of root's file, as a secret."""
    word = prepare(folder, uid)
    try:
        open_up(needed)
    except PermissionError as error:
        sys.exit(f"{CANNOT}{error}; run the tests with CAP_SYS_ADMIN, or from a folder that every user can enter")
    if uid:
        become(uid)
    if closed := [str(path) for path in needed if not os.access(path, os.R_OK | os.X_OK)]:
        sys.exit(f"{CANNOT}{', '.join(closed)} cannot be read by others, even when the folders above are open")
    os.execve(command[0], command, {**os.environ, "FORGESYTE_RUNNER_BUS_TOKEN": word})


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(path) for path in json.loads(sys.argv[3])], sys.argv[4:])
