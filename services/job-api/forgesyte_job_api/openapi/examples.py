"""The examples of the OpenAPI document, all of the same job; a test checks each against its model."""

from typing import Any

EXAMPLE_JOB_ID = "01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60"

_ROW: dict[str, Any] = {
    "frame_index": 0,
    "timestamp_ms": 0.0,
    "detections": {
        "regions": [{"xyxy": [10.0, 20.0, 70.0, 60.0], "area": 1800.0, "share": 0.0054, "center": [40.0, 40.0]}],
        "motion_share": 0.0061,
    },
}
RESULT: dict[str, Any] = {
    "job_id": EXAMPLE_JOB_ID,
    "status": "completed",
    "plugin_id": "motion-detector",
    "tools": ["detect-motion"],
    "total_frames": 377,
    "fps": 29.97,
    "width": 768,
    "height": 432,
    "summary": {"frame_count": 377, "detection_count": 192, "classes": {}},
    "frames": [_ROW],
    "truncated": False,
}
FRAME_TABLE: dict[str, Any] = {
    "job_id": EXAMPLE_JOB_ID,
    "of": "input",
    "attempt": 1,
    "complete": False,
    "width": 768,
    "height": 432,
    "rotation": 0,
    "pixel_aspect": "1:1",
    "frame_index": [0, 1, 2],
    "time_us": [500000, 533367, 566733],
}
JOB: dict[str, Any] = {
    "job_id": EXAMPLE_JOB_ID,
    "status": "running",
    "plugin_id": "motion-detector",
    "tool": "detect-motion",
    "tools": ["detect-motion"],
    "job_type": "video",
    "filename": "traffic.mp4",
    "options": {"detect-motion": {"threshold": 6}},
    "progress": 42,
    "current_frame": 158,
    "total_frames": 377,
    "current_tool": "detect-motion",
    "tools_total": 1,
    "tools_completed": 0,
    "results": None,
    "result_url": f"/v1/jobs/{EXAMPLE_JOB_ID}/result",
    "summary": None,
    "error_message": None,
    "error_code": None,
    "error_type": None,
    "attempt": 1,
    "created_at": "2025-01-01T12:00:00.000Z",
    "started_at": "2025-01-01T12:00:00.041Z",
    "updated_at": "2025-01-01T12:00:01.520Z",
    "completed_at": None,
}
_ENDED = {"current_tool": None, "completed_at": "2025-01-01T12:00:02.113Z"}
_ATTEMPT = {
    "number": 1,
    "runner_id": "runner-7f3a",
    "started_at": "2025-01-01T12:00:00.041Z",
    "ended_at": None,
    "outcome": None,
    "frame": None,
    "policy": "walled",
    "log_tail": None,
}

JOB_PAGE: dict[str, Any] = {"jobs": [{**JOB, "options": None}], "count": 1, "next_cursor": None}
CANCELLED_JOB: dict[str, Any] = {
    **JOB,
    **_ENDED,
    "status": "cancelled",
    "error_message": "The job was cancelled.",
    "error_code": "CANCELLED",
    "error_type": "cancelled",
    "stopping": False,
}
EXTENDED_JOB: dict[str, Any] = {
    **JOB,
    "plugin_timings": {"motion-detector.detect-motion": 3.4, "motion-detector": 3.4},
    "stage_timings_ms": {"fetch": 12.1, "decode": 310.2, "process": 540.9, "encode": 20.4, "publish": 8.8},
    "warnings": ["1 of 159 frames could not be decoded and was left out"],
    "warning_entries": [
        {
            "index": 0,
            "text": "1 of 159 frames could not be decoded and was left out",
            "frame_index": None,
            "severity": "high",
        }
    ],
    "device_requested": "auto",
    "device_used": "cpu",
    "fallback": False,
    "fallback_reason": None,
    "frames": [_ROW],
    "decode": {
        "frames_decoded": 158,
        "frames_corrupt": 1,
        "frames_skipped": 0,
        "codec": "h264",
        "fps": 29.97,
        "fps_nominal": 29.97,
        "clock": "pts",
        "video_stream": 0,
        "color": "bt601 (assumed: no colour tags, 768 x 432)",
        "rotation": 0,
        "width": 768,
        "height": 432,
        "pixel_aspect": "1:1",
        "as_stated": False,
    },
    "attempts": [_ATTEMPT],
}
SUBMITTED: dict[str, Any] = {
    "job_id": EXAMPLE_JOB_ID,
    "plugin": "motion-detector",
    "plugin_id": "motion-detector",
    "tool": "detect-motion",
    "tools": ["detect-motion"],
    "status": "queued",
    "submitted_at": "2025-01-01T12:00:00.000Z",
}
HEALTH: dict[str, Any] = {
    "status": "healthy",
    "version": "0.1.0",
    "plugins_loaded": 1,
    "checks": {
        "bus": "ok",
        "storage": "ok",
        "runners": "ok",
        "plugins": "ok",
        "progress": "ok",
        "projection": "ok",
        "reconciler": "ok",
    },
}
TIMELINE: dict[str, Any] = {
    "job_id": EXAMPLE_JOB_ID,
    "attempt": 1,
    "complete": True,
    "bins": 100,
    "total_frames": 377,
    "lanes": [
        {
            "kind": "class",
            "tool": "track-objects",
            "class": None,
            "track_id": None,
            "frames": 162,
            "detections": 192,
            "first_frame": 31,
            "last_frame": 300,
            "runs": [[8, 21, 64], [40, 79, 128]],
        },
        {
            "kind": "track",
            "tool": "track-objects",
            "class": None,
            "track_id": 1,
            "frames": 51,
            "detections": 51,
            "first_frame": 31,
            "last_frame": 81,
            "runs": [[8, 21, 51]],
        },
    ],
    "lanes_omitted": 0,
}

RETRY: dict[str, Any] = {"options": {"threshold": 12}}

FACTS: dict[str, Any] = {
    "name": "forgesyte",
    "version": "0.1.0",
    "keys_required": False,
    "limits": {"upload_bytes": 2147483648, "image_pixels": 50000000, "video_side_px": 8192},
    "links": {
        "openapi": "/openapi.json",
        "asyncapi": "/asyncapi.json",
        "health": "/health",
        "realtime": "/v1/realtime",
    },
}

MAKING: dict[str, Any] = {"job_id": EXAMPLE_JOB_ID, "state": "making", "progress": 42}

JSON_LINES = '{"frame_index":0,"timestamp_ms":0.0,"detections":{"regions":[],"motion_share":0.0}}\n'
CSV = "frame_index,timestamp_ms,tool,x1,y1,x2,y2\n0,0.0,detect-motion,10.0,20.0,70.0,60.0\n"

FORM: dict[str, Any] = {
    "plugin_id": "motion-detector",
    "tool": ["detect-motion"],
    "options": '{"threshold": 6}',
    "device": "auto",
}
"""The fields of a form beside its media."""

PROBLEMS: dict[str, str] = {
    "PLUGIN_UNKNOWN": "there is no plugin 'motion'; known plugins: motion-detector",
    "TOOL_UNKNOWN": "plugin motion-detector has no tool 'count'; tools of motion-detector for video: detect-motion, "
    "track-objects",
    "PLUGIN_UNAVAILABLE": "plugin ocr is UNAVAILABLE: the model file weights/ocr.onnx is missing; fetch it and reload",
    "OPTIONS_INVALID": 'options.detect-motion.threshold: expected a number, found "high"',
    "MEDIA_INVALID": "the upload is empty (0 bytes); send a video with at least one picture",
    "MEDIA_TOO_LARGE": "the upload has 3221225472 bytes, but at most 2147483648 are allowed",
    "KEY_MISSING": "Send an API key as X-API-Key, as `Authorization: Bearer <key>` or as the query parameter api_key.",
    "KEY_REFUSED": "The API key 'viewer' has the scopes read; this request needs analyze.",
    "JOB_UNKNOWN": f"there is no job {EXAMPLE_JOB_ID}; it never existed, or it is older than the retention period",
    "JOB_FINISHED": f"job {EXAMPLE_JOB_ID} is already completed, so it cannot be cancelled",
    "JOB_UNFINISHED": f"job {EXAMPLE_JOB_ID} is running; wait until it has ended, "
    "or get the rows so far with format=jsonl",
    "REQUEST_INVALID": "query.limit: Input should be less than or equal to 100",
    "SERVICE_UNAVAILABLE": "The message broker (NATS) is unavailable, so no job can be accepted. Try again shortly.",
    "STORAGE_FULL": "No job can be stored at present: the folder of the store (/data/store) has 1048576 bytes "
    "left, and 268435456 are kept free. Free space there. Try again later.",
    "TOO_MANY_REQUESTS": "32 files (annotated video) are already being made; try again shortly",
    "CANCELLED": f"job {EXAMPLE_JOB_ID} was cancelled",
    "PLUGIN_ERROR": f"job {EXAMPLE_JOB_ID} failed (ValueError); GET /v1/jobs/{EXAMPLE_JOB_ID} says what happened",
    "PLUGIN_CRASH": f"job {EXAMPLE_JOB_ID} failed (crashed); GET /v1/jobs/{EXAMPLE_JOB_ID} says what happened",
    "DISK_LIMIT": "2100 MiB on disk were in use at frame 0 (limit: 2048 MiB); have the plugin write less",
    "PLUGIN_OOM": "frame 0 needed more than the 1024 MiB that one job may use; submit a smaller image",
    "PLUGIN_TIMEOUT": "frame 0 took longer than its limit of 60 s; submit a smaller image or a faster tool",
}
"""The `detail` of an example of each problem, by code."""

RANGE_OUTSIDE = "Range is 'bytes=9000-' but the file has 7079 bytes; request a range within the file."
NOT_IN_TIME = f"job {EXAMPLE_JOB_ID} is still running after 30 s and continues; follow it at /v1/jobs/{EXAMPLE_JOB_ID}"
"""The `detail` of problems whose status is not their code's own."""
