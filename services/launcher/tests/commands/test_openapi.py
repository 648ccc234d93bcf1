"""The real command: what it prints, and that it needs nothing. test_edge.py compares it with a running server."""

import json
import os
import subprocess
import sys

import jsonschema
import openapi_spec_validator
import pytest

from tests.support import run_forked

pytestmark = pytest.mark.slow


def forgesyte_openapi(folder, *options: str, **env: str) -> str:
    """Run `forgesyte openapi` in `folder`; return what it prints. A hash seed counts from Python's start only."""
    if "PYTHONHASHSEED" in env:
        command = [sys.executable, "-m", "forgesyte_launcher", "openapi", *options]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=folder, env={**os.environ, **env}
        )
    else:
        done = run_forked("forgesyte_launcher", "openapi", *options, cwd=folder, env={**os.environ, **env})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_document_is_valid_and_has_the_paths_of_every_service(tmp_path):
    document = json.loads(forgesyte_openapi(tmp_path))

    openapi_spec_validator.validate(document)
    assert {"/v1/video/submit", "/v1/plugins/", "/v1/realtime"} <= document["paths"].keys()


def test_the_document_is_the_same_each_time_and_needs_no_setting_and_no_folder(tmp_path):
    once = forgesyte_openapi(tmp_path, PYTHONHASHSEED="1")
    broken = {f"FORGESYTE_{service}_DRAIN_S": "soon" for service in ("JOB_API", "INSPECTOR", "GATEWAY", "LAUNCHER")}
    again = forgesyte_openapi(tmp_path, PYTHONHASHSEED="2", FORGESYTE_JOB_API_API_KEYS="broken", **broken)

    assert once == again
    assert list(tmp_path.iterdir()) == []


def test_the_schemas_of_the_realtime_messages_are_valid(tmp_path):
    schemas = json.loads(forgesyte_openapi(tmp_path, "--realtime"))

    assert {"progress", "ping"} <= schemas["server_messages"].keys()
    assert {"pong", "subscribe"} <= schemas["client_messages"].keys()
    for part in schemas.values():
        for schema in part.values():
            jsonschema.Draft202012Validator.check_schema(schema)
