"""Starts the worker as each of the two users, in processes of their own, and collects what it wrote."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.escapes.as_user import CANNOT

ROOT = Path(__file__).parents[2]
PLUGINS = Path(__file__).parent / "plugins"
AS_USER = Path(__file__).with_name("as_user.py")
LIMIT_S = 240


@dataclass
class Half:
    """What one user found.

    Attributes:
        tables: by configuration.
        cannot: why there is nothing.
    """

    tables: dict[str, Any] = field(default_factory=dict)
    cannot: str = ""


@contextmanager
def started(
    user: str, module: str, clip: Path, *arguments: str, is_open: bool = True, also: tuple[Path, ...] = ()
) -> Iterator["Running | None"]:
    """Start `python -m MODULE FOLDER CLIP arguments...` as `root` or `user`; None where that is impossible.

    Args:
        user: `root` or `user`, an ordinary one.
        module: what runs.
        clip: the video of its jobs.
        arguments: the module's.
        is_open: whether interpreter and checkout are made reachable for every user; False leaves them as they are.
        also: files that are copied into its folder beside the clip.
    """
    if user == "root" and os.geteuid() != 0:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="forgesyte-escapes-"))
    folder.chmod(0o755)
    uid = 0 if user == "root" else 40000 + secrets.randbelow(9000) if os.geteuid() == 0 else os.geteuid()
    os.chown(folder, uid, -1)
    video = Path(shutil.copy(clip, folder / "clip.mp4"))
    video.chmod(0o644)
    for file in also:
        Path(shutil.copy(file, folder)).chmod(0o644)
    command = [sys.executable, "-m", module, str(folder), str(video), *arguments]
    if os.geteuid() == 0:
        needed = [ROOT, Path(sys.prefix), Path(sys.base_prefix)] if is_open else []
        become = [sys.executable, "-I", str(AS_USER), str(uid), str(folder)]
        command = [*become, orjson.dumps(list(map(str, needed))).decode(), *command]
    else:
        (folder / "roots-word").write_text(secrets.token_hex(12))
    env = {**os.environ, "PYTHONPATH": str(PLUGINS), "HOME": str(folder)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        yield Running(process, folder)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Running:
    """A worker that runs."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder

    def half(self) -> Half:
        """Wait for its end; return what it wrote.

        Raises:
            AssertionError: it failed.
        """
        _, said = self._process.communicate(timeout=LIMIT_S)
        if said.startswith(CANNOT):
            return Half(cannot=said.strip())
        assert self._process.returncode == 0, said[-6000:]
        return Half(orjson.loads((self._folder / "results.json").read_bytes()))


def half_of(running: Running | None) -> Half:
    """Return what a worker found, or why there is none."""
    return Half(cannot="only root can run as root") if running is None else running.half()
