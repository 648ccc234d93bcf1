"""Hooks for schemathesis: half of the generated requests name a job that exists, or send media that can be used.

Without them nearly every request ends at "no such job" and "not a video", and the answers beyond are never seen. What
to send is in the environment, because schemathesis runs as a process of its own.
"""

import itertools
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis

JOBS = itertools.cycle(os.environ["FORGESYTE_TEST_JOBS"].split())
VIDEO, IMAGE = (Path(os.environ[f"FORGESYTE_TEST_{kind}"]).read_bytes() for kind in ("VIDEO", "IMAGE"))
ASKED: Counter[str] = Counter()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Make every second request of a route a real one."""
    ASKED[case.operation.label] += 1
    if ASKED[case.operation.label] % 2:
        return
    if "job_id" in (case.path_parameters or {}):
        case.path_parameters["job_id"] = next(JOBS)
    if case.method == "POST" and case.path.startswith(("/v1/video/", "/v1/image/")):
        is_video = "/video/" in case.path
        case.media_type = "application/octet-stream"
        case.headers = {}
        case.body = VIDEO if is_video else IMAGE
        tools = ("motion-detector", "detect-motion") if is_video else ("contract", "middle")
        case.query = dict(zip(("plugin_id", "tool"), tools, strict=True))
