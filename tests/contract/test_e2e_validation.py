"""The walk with curl and jq, as a user without Python does it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "e2e_validation.sh"
MISSING = [tool for tool in ("bash", "curl", "jq") if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)} (Debian: apt install curl jq)"),
]


def walk(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**os.environ, "NO_PROXY": "*", **env},
    )


def test_the_whole_walk_passes_and_prints_each_step(stack, video):
    done = walk(video, stack.url)

    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line.split()[0] for line in done.stdout.splitlines()]
    assert list(dict.fromkeys(steps)) == ["health", "submit", "poll", "results", "plain", "all"]


def test_the_walk_fails_where_the_server_refuses(stack, video):
    done = walk(video, stack.url, TOOL="no-such-tool")

    assert done.returncode == 1
    assert "expected 202, found 400" in done.stderr
    assert "TOOL_UNKNOWN" in done.stderr


def test_the_walk_fails_where_no_server_is(video):
    done = walk(video, "http://127.0.0.1:1")

    assert done.returncode == 1
    assert "no answer" in done.stderr
