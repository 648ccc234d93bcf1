"""`plugin_timings` and `warnings` of the extended job, and the timing a watcher gets."""

from datetime import UTC, datetime

from forgesyte_contracts.http.jobs import ExtendedJobResponse
from tests.support.gateway import hear

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def extended(**facts) -> ExtendedJobResponse:
    known = {
        "job_id": "a-job", "status": "running", "plugin_id": "ocr", "tool": "t", "tools": ("t",), "job_type": "video",
        "tools_total": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return ExtendedJobResponse(**known, **facts)


def test_a_timing_is_kept():
    assert extended(plugin_timings={"ocr": 12.5}).plugin_timings == {"ocr": 12.5}


def test_timings_are_floats_with_one_decimal():
    wire = extended(plugin_timings={"ocr": 12.5, "ocr.read": 12}).model_dump(mode="json")["plugin_timings"]

    assert wire == {"ocr": 12.5, "ocr.read": 12.0}
    assert all(type(value) is float for value in wire.values())


def test_timings_and_warnings_are_none_by_default():
    assert extended().plugin_timings is None
    assert extended().warnings is None


def test_two_warnings_are_kept_in_order():
    assert extended(warnings=["first", "second", "first"]).warnings == ["first", "second", "first"]


async def test_a_watcher_gets_the_plugins_timing(served, play):
    runner = await play(plugin_id="ocr")
    await runner.write(3, 10, plugin_timings={"ocr.read": 12.5, "ocr": 12.5}, device_used="cpu")

    async with served.realtime(runner.job_id) as socket:
        status = await hear(socket)

    assert status["type"] == "plugin_status"
    assert status["payload"] == {
        "job_id": runner.job_id, "plugin": "ocr", "status": "running", "timing_ms": 12.5, "frames_processed": 3,
        "warnings_count": 0, "device_used": "cpu",
    }  # fmt: skip
