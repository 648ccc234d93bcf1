"""The examples of the OpenAPI document: one machine with one plugin. A test validates each against its model."""

from typing import Any

from forgesyte_contracts.problems import Code, ForgeSyteError

PLUGIN = "motion-detector"
_RUNNER_ID = "box-1f0c9a2e"
_DESCRIPTION = "Finds and follows what moves in front of a fixed camera."
_SEEN_BY: list[dict[str, Any]] = [
    {
        "runner_id": _RUNNER_ID,
        "state": "INITIALIZED",
        "state_since": "2025-01-01T11:51:32.600Z",
        "reason": None,
        "policy": "walled",
    }
]
_NO_PERMISSIONS: dict[str, Any] = {"read": [], "devices": []}
_POLICY: dict[str, Any] = {
    "word": "walled",
    "landlock_abi": 4,
    "landlock_handles": ["execute", "read_file", "write_file", "bind_tcp", "connect_tcp"],
    "seccomp": True,
    "no_new_privs": True,
    "tcp": "landlock and seccomp",
    "signals": "seccomp",
    "uid": 1000,
    "uid_is_exclusive": False,
    "no_uid": "the service does not run as root",
    "searches": False,
    "dumpable": True,
    "dies_with_parent": True,
    "limits": {"nofile": 1024, "core": 0},
    "gaps": [],
}
_HEALTH: dict[str, Any] = {
    "name": PLUGIN,
    "version": "0.1.0",
    "description": _DESCRIPTION,
    "state": "INITIALIZED",
    "reason": None,
    "uptime_seconds": 512.4,
    "last_used": "2025-01-01T12:00:03.214Z",
    "success_count": 12,
    "error_count": 1,
    "last_execution_time_ms": 2.9,
    "avg_execution_time_ms": 3.1,
    "permissions": _NO_PERMISSIONS,
    "policy": _POLICY,
    "runners": _SEEN_BY,
}
_METADATA: dict[str, Any] = {
    "name": PLUGIN,
    "version": "0.1.0",
    "description": _DESCRIPTION,
    "author": "The ForgeSyte authors",
    "license": "Apache-2.0",
    "capabilities": ["motion", "regions", "tracking"],
    "latency_budget_ms": 20.0,
    "requires": {"gpu": False, "packages": ["cv2"], "models": [], "gpu_memory_bytes": None},
    "limits": {"frame_timeout_s": None, "memory_bytes": None},
    "permissions": _NO_PERMISSIONS,
    "isolation": "job",
    "stateful": True,
}
_TOOL: dict[str, Any] = {
    "name": "detect-motion",
    "aliases": [],
    "title": "Detect motion",
    "description": "Regions of each frame that differ from the learned background.",
    "inputs": ["video"],
    "options_schema": {"type": "object", "properties": {"threshold": {"type": "number", "minimum": 1, "maximum": 100}}},
    "output_schema": {"type": "object", "properties": {"motion_share": {"type": "number"}}},
}
_DEVICE: dict[str, Any] = {
    "name": "cpu",
    "kind": "cpu",
    "utilisation_ratio": 0.42,
    "memory_used_bytes": 3221225472,
    "memory_total_bytes": 8589934592,
    "runner_id": _RUNNER_ID,
    "host": "box",
}
_RUNNER: dict[str, Any] = {
    "runner_id": _RUNNER_ID,
    "state": "alive",
    "draining": False,
    "silent_s": 0.8,
    "host": "box",
    "pid": 4711,
    "version": "0.1.0",
    "started_at": "2025-01-01T11:51:30.000Z",
    "slots": 2,
    "slots_busy": 0,
    "jobs": [],
    "plugins": [{"name": PLUGIN, "state": "INITIALIZED"}],
}

ANSWERS: dict[str, dict[str, Any]] = {
    "PluginHealth": _HEALTH,
    "PluginList": {"plugins": [_HEALTH], "total": 1, "available": 1, "failed": 0, "unavailable": 0},
    "PluginReport": {
        "metadata": _METADATA,
        "health": _HEALTH,
        "timings": {"last_execution_time_ms": 2.9, "avg_execution_time_ms": 3.1, "latency_budget_ms": 20.0},
        "tools": [_TOOL],
        "runners": _SEEN_BY,
        "generated_at": "2025-01-01T12:00:05.000Z",
    },
    "PluginManifest": {**_METADATA, "tools": [_TOOL]},
    "ReloadAccepted": {
        "plugin": PLUGIN,
        "status": "reloading",
        "runners": 1,
        "requested_at": "2025-01-01T12:00:05.000Z",
    },
    "DeviceOnRunner": _DEVICE,
    "RunnerInfo": _RUNNER,
}
"""An example for each model, by the model's name; answers that are lists hold one of them."""

PROBLEMS = {
    401: ForgeSyteError(
        Code.KEY_MISSING,
        "Send an API key as X-API-Key, as `Authorization: Bearer <key>` or as the query parameter api_key.",
    ),
    403: ForgeSyteError(Code.KEY_REFUSED, "The API key 'viewer' has the scopes read; this request needs plugins."),
    404: ForgeSyteError(Code.PLUGIN_UNKNOWN, f"There is no plugin 'motion'; known plugins: {PLUGIN}.", plugin="motion"),
    422: ForgeSyteError(
        Code.REQUEST_INVALID, "There is no query parameter 'state' here; this route knows api_key only.", field="state"
    ),
    503: ForgeSyteError(Code.SERVICE_UNAVAILABLE, "The message broker (NATS) is unavailable. Try again shortly."),
}
"""An example of each refusal, by its status."""

REFUSALS = {401: "No API key, or an unknown one", 403: "The API key lacks the scope", 404: "There is no such plugin",
            422: "A query parameter is unknown", 503: "The message broker is unavailable"}  # fmt: skip
"""The short description of each refusal."""
