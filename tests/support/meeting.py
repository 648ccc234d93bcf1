"""Where a test and a plugin behind the wall can meet: a sandbox reaches no folder of a test.

/dev/shm is the one place that both see, under names that they have told each other: multiprocessing needs it.
"""

import atexit
import secrets
import shutil
from pathlib import Path


def meeting_point(name: str) -> Path:
    """Return a path that does not exist yet, which a test can make and a plugin can see, or the other way round."""
    path = Path("/dev/shm", f"forgesyte-test-{secrets.token_hex(8)}-{name}")
    atexit.register(_remove, path)
    return path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
