"""The nine messages, their schemas, and how a record becomes messages."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from pydantic import ValidationError

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord
from forgesyte_contracts.plugins import ModelFile, PluginManifest, Requires, ToolManifest
from forgesyte_contracts.problems import Code
from forgesyte_contracts.realtime import (
    NO_ORDER,
    Box,
    ErrorDetails,
    ErrorPayload,
    FrameData,
    FramePayload,
    LiveOrder,
    MessageType,
    MetadataPayload,
    PartialResultPayload,
    PartialRows,
    PingPayload,
    PluginMetadata,
    PluginStatus,
    PluginStatusPayload,
    PongPayload,
    ProgressPayload,
    ProgressStage,
    ProgressStatus,
    RealtimeMessage,
    Severity,
    WarningPayload,
    current_state,
    envelope,
    flat_ending,
    flat_progress,
    message_schemas,
    metadata_of,
    news_between,
    parse_message,
    parse_order,
    plugin_status_of,
    progress_of,
    warnings_of,
)
from forgesyte_contracts.warnings import JobWarning

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
PROGRESS = ProgressPayload(
    job_id="j", status=ProgressStatus.RUNNING, progress=33, current_frame=1, total_frames=3, current_tool="t",
    tools_total=1, tools_completed=0,
)  # fmt: skip
BOX = Box(x=1, y=2, width=3, height=4, confidence=0.5, class_="car")
PAYLOADS = [
    MetadataPayload(plugin="p", metadata=PluginMetadata(version="1.0.0")),
    PROGRESS,
    PROGRESS.model_copy(update={"stage": ProgressStage.PROCESSING, "fps": 25.5}),
    PluginStatusPayload(
        job_id="j", plugin="p", status=PluginStatus.STARTED, timing_ms=None, frames_processed=0, warnings_count=0,
        device_used=None,
    ),
    FramePayload(
        job_id="j", frame_id="j-1", frame_index=1, plugin="p", device_used="cpu", timing_ms=1.5,
        data=FrameData(
            boxes=(BOX, BOX.model_copy(update={"track_id": 3})), width=9, height=9, image="data:image/jpeg;base64,AA=="
        ),
    ),
    PartialResultPayload(job_id="j", plugin="p", result=PartialRows(rows=({"frame_index": 0},))),
    WarningPayload(job_id="j", index=0, plugin="p", message="odd", severity=Severity.LOW),
    WarningPayload(job_id="j", index=1, plugin="p", message="odd", frame_index=4),
    ErrorPayload(error="Something", details=ErrorDetails(error_code="INTERNAL", message="wrong")),
    ErrorPayload(
        job_id="j", plugin="p", error="Something", details=ErrorDetails(error_code="X", message="w", frame_index=1)
    ),
    PingPayload(interval_seconds=30),
    PongPayload(timestamp=NOW),
]  # fmt: skip


def a_record(**changes) -> JobRecord:
    facts = {"job_id": "j", "plugin_id": "p", "tools": ("a", "b"), "created_at": NOW, "updated_at": NOW}
    return JobRecord(**{**facts, **changes})


def a_running(**changes) -> JobRecord:
    return moves.claimed(a_record(), "runner-1", NOW).model_copy(update=changes)


def warning(text: str, frame_index: int | None = None, **changes) -> JobWarning:
    return JobWarning(text=text, frame_index=frame_index, **changes)


def types(payloads) -> list[str]:
    return [payload.TYPE.value for payload in payloads]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.TYPE.value)
def test_each_message_fits_its_schema_and_comes_back_as_it_was(payload):
    body = envelope(payload, now=NOW, seq=7)

    message, found = parse_message(body)
    jsonschema.validate(json.loads(body), message_schemas()[payload.TYPE])
    assert (message.type, message.seq, message.timestamp, found) == (payload.TYPE, 7, NOW, payload)
    assert b"\n" not in body
    assert json.loads(body)["timestamp"] == "2026-01-02T03:04:05.678Z"


def test_there_are_nine_types_each_with_a_schema():
    assert set(message_schemas()) == {kind.value for kind in MessageType}
    assert len(message_schemas()) == 9


def test_optional_keys_are_left_out_and_others_are_null():
    wire = json.loads(envelope(PROGRESS.model_copy(update={"total_frames": None})))

    assert set(wire) == {"type", "payload", "timestamp"}
    assert set(wire["payload"]) == {
        "job_id", "status", "progress", "current_frame", "total_frames", "current_tool", "tools_total",
        "tools_completed",
    }  # fmt: skip
    assert wire["payload"]["total_frames"] is None


def test_a_box_is_on_the_wire_as_the_contract_writes_it():
    wire = json.loads(envelope(PAYLOADS[4]))["payload"]["data"]["boxes"]

    assert wire[0] == {"x": 1, "y": 2, "width": 3, "height": 4, "confidence": 0.5, "class": "car"}
    assert wire[1]["track_id"] == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "news", "payload": {}, "timestamp": "2026-01-01T00:00:00Z"},
        {"type": "ping", "payload": {}, "timestamp": "2026-01-01T00:00:00Z"},
        {"type": "ping", "payload": {"interval_seconds": 30}},
        {"type": "ping", "payload": {"interval_seconds": 30}, "timestamp": "2026-01-01T00:00:00Z", "seq": 0},
        {"type": "ping", "payload": {"interval_seconds": 30}, "timestamp": "2026-01-01T00:00:00Z", "more": 1},
    ],
)
def test_what_is_no_message_is_refused_by_model_and_schema(wrong):
    with pytest.raises(ValidationError):
        parse_message(json.dumps(wrong))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, message_schemas()["ping"])


def test_the_envelope_is_a_model_of_its_own():
    message = RealtimeMessage(type="pong", payload={"timestamp": "2026-01-01T00:00:00Z"}, timestamp=NOW)

    assert message.seq is None


def test_a_pending_job_has_no_state_to_tell():
    assert current_state(a_record()) == []


def test_the_state_is_told_in_order():
    record = moves.warned(a_running(current_frame=3), [warning("one"), warning("this frame is damaged", 2)])

    state = current_state(record)

    assert types(state) == ["plugin_status", "warning", "warning", "progress"]
    assert [(one.index, one.frame_index) for one in state[1:3]] == [(0, None), (1, 2)]


def test_a_warning_is_sent_with_its_own_frame_and_severity_and_not_with_what_its_text_says():
    record = moves.warned(a_running(), [warning("frame 7 looks odd", 2, severity=Severity.HIGH), warning("frame 9")])

    told = [(one.message, one.frame_index, one.severity) for one in warnings_of(record)]

    assert told == [("frame 7 looks odd", 2, Severity.HIGH), ("frame 9", None, Severity.MEDIUM)]


def test_the_first_of_a_late_joiners_50_warnings_says_how_many_came_earlier():
    texts = [f"odd {index}" for index in range(7, 57)]
    record = moves.warned(a_running(), map(warning, texts)).model_copy(update={"warnings_dropped": 7})

    joining = [one for one in current_state(record) if one.TYPE == "warning"]
    following = warnings_of(record, known=7)

    assert [(one.index, one.earlier) for one in joining] == [(7, 7), *((index, None) for index in range(8, 57))]
    assert [one.index for one in following] == list(range(7, 57))
    assert {one.earlier for one in following} == {None}
    assert "earlier" not in following[0].model_dump()


def test_a_follower_learns_of_warnings_that_came_and_went_between_two_records():
    before = moves.warned(a_running(), [warning("first")])
    now = moves.warned(a_running(), [warning("odd 9")]).model_copy(update={"warnings_dropped": 9})

    assert [(one.index, one.earlier) for one in news_between(before, now) if one.TYPE == "warning"] == [(9, 8)]


@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        pytest.param(lambda r: moves.completed(r, NOW), "completed", ["plugin_status", "progress"], id="completed"),
        pytest.param(lambda r: moves.failed(r, Code.PLUGIN_OOM, "oom", "too big", NOW, frame=4), "failed",
                     ["plugin_status", "error", "progress"], id="failed"),
        pytest.param(lambda r: moves.cancelled(r, NOW), "cancelled", ["plugin_status", "error", "progress"],
                     id="cancelled"),
    ],
)  # fmt: skip
def test_an_ending_is_the_last_message_and_a_bad_one_is_preceded_by_its_error(end, status, told):
    before = a_running(current_frame=3)
    ended = end(before)

    assert types(current_state(ended)) == types(news_between(before, ended)) == told
    assert progress_of(ended).status == current_state(ended)[0].status == status
    assert progress_of(ended).current_tool is None
    assert news_between(ended, ended) == []


def test_the_error_names_code_sentence_and_frame():
    ended = moves.failed(a_running(), Code.PLUGIN_OOM, "oom", "too big", NOW, frame=4)

    error = current_state(ended)[1]

    assert error.details == ErrorDetails(error_code="PLUGIN_OOM", message="too big", frame_index=4)
    assert error.error == "The plugin needed more memory than its limit"


def test_a_job_that_failed_before_it_ran_has_no_plugin_status():
    ended = moves.failed(a_record(), Code.PLUGIN_UNAVAILABLE, "x", "no runner has it", NOW)

    assert types(current_state(ended)) == ["error", "progress"]


def test_news_is_new_warnings_and_a_changed_plugin_status_alone():
    before = a_running(current_frame=3)
    warned = moves.warned(before, [warning("odd")])

    assert types(news_between(a_record(), a_running())) == ["plugin_status"]
    assert news_between(before, before.model_copy(update={"current_frame": 4})) == []
    assert types(news_between(before, warned)) == ["plugin_status", "warning"]
    assert [one.index for one in news_between(warned, moves.warned(warned, [warning("odd")]))] == [1]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"current_frame": 0}, "started"),
        ({"current_frame": 1}, "running"),
        ({"current_frame": 1, "warnings": ("odd",)}, "degraded"),
        ({"current_frame": 1, "fallback": True}, "degraded"),
    ],
)
def test_the_plugins_status(changes, status):
    assert plugin_status_of(a_running(**changes)).status == status


def test_a_death_degrades_and_a_hand_over_does_not():
    died = moves.claimed(moves.died(a_running(), AttemptOutcome.CRASHED, 4, "it died", NOW), "runner-2", NOW)
    released = moves.claimed(moves.released(a_running(), 4, NOW), "runner-2", NOW)
    orphan = moves.claimed(a_running(), "runner-2", NOW)

    assert plugin_status_of(died).status == "degraded"
    assert plugin_status_of(orphan).status == "degraded"
    assert plugin_status_of(released).status == "started"


@pytest.mark.parametrize(
    ("text", "order"),
    [("2.7", LiveOrder(2, 7)), ("", NO_ORDER), ("1", NO_ORDER), ("1.x", NO_ORDER), ("-1.2", NO_ORDER)],
)
def test_an_order_is_read_or_is_none(text, order):
    assert parse_order(text) == order


def test_a_later_attempt_is_above_all_of_an_earlier_one():
    assert parse_order("2.1") > parse_order("1.999")


def test_the_flat_per_cent_comes_from_the_estimate_while_the_total_is_unknown():
    unknown = PROGRESS.model_copy(update={"total_frames": None, "progress": 40})

    assert flat_progress(unknown).wire()["percent"] == 40
    assert flat_progress(PROGRESS).wire()["percent"] == 33
    assert flat_progress(PROGRESS, least_percent=60).wire()["percent"] == 60


def test_flat_endings():
    failed = moves.failed(a_running(), Code.PLUGIN_ERROR, "x", "it broke", NOW)

    assert flat_ending(a_running()) is None
    assert flat_ending(moves.completed(a_running(), NOW)) == {"status": "completed", "job_id": "j"}
    assert flat_ending(failed) == {"status": "error", "job_id": "j", "message": "it broke"}
    assert flat_ending(moves.cancelled(a_running(), NOW)) == {"status": "cancelled", "job_id": "j"}


def test_metadata_is_taken_from_the_manifest():
    options = {"properties": {"confidence": {"type": "number", "default": 0.25}}}
    manifest = PluginManifest(
        name="yolo",
        version="1.2.3",
        capabilities=("detect",),
        latency_budget_ms=40,
        requires=Requires(models=(ModelFile(name="yolo-n", path="n.pt"),)),
        tools=(ToolManifest(name="track", options_schema=options, output_schema={"title": "TrackedObjects"}),),
    )

    assert metadata_of(manifest).model_dump() == {
        "plugin": "yolo",
        "metadata": {
            "version": "1.2.3", "model": "yolo-n", "input_shape": None, "output_format": "TrackedObjects",
            "confidence_default": 0.25, "capabilities": ("detect",), "latency_budget_ms": 40.0,
        },
    }  # fmt: skip
