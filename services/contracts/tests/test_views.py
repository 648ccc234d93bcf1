"""The public views of a record and the codes: names letter for letter."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from forgesyte_contracts.http.jobs import ExtendedJobResponse, job_view
from forgesyte_contracts.jobs import InputFacts, JobRecord, JobStatus, JobType
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.routes import ROUTES, scope_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
RECORD = JobRecord(job_id="j", plugin_id="p", tools=("a", "b"), created_at=NOW, updated_at=NOW)


def test_the_record_view_has_exactly_the_contracts_fields():
    view = job_view(RECORD).model_dump(mode="json")

    names = (
        "job_id status plugin_id tool tools job_type filename options progress current_frame total_frames current_tool "
        "tools_total tools_completed results result_url summary error_message error_code error_type attempt created_at "
        "started_at updated_at completed_at"
    )
    assert " ".join(view) == names
    assert (view["tool"], view["current_tool"], view["tools_total"]) == ("a", "a", 2)
    assert view["created_at"] == "2026-01-02T03:04:05.678Z"


def test_the_view_names_the_media_and_its_options_and_leaves_options_out_on_request():
    record = RECORD.model_copy(update={"input": InputFacts(filename="a.mp4"), "options": {"a": {"threshold": 7}}})

    whole, listed = job_view(record), job_view(record, has_options=False)

    assert (whole.filename, whole.options) == ("a.mp4", {"a": {"threshold": 7}})
    assert (listed.filename, listed.options) == ("a.mp4", None)


def test_a_moment_survives_the_bus():
    assert JobRecord.model_validate_json(RECORD.model_dump_json()) == RECORD


@pytest.mark.parametrize("progress", [-1, 101, 150])
def test_progress_outside_0_to_100_is_refused(progress):
    with pytest.raises(ValidationError):
        ExtendedJobResponse(
            job_id="j", status=JobStatus.RUNNING, plugin_id="p", tool="t", tools=("t",), job_type="video",
            tools_total=1, created_at=NOW, updated_at=NOW, progress=progress,
        )  # fmt: skip


def test_every_code_has_a_status_and_a_title():
    assert set(CODE_FACTS) == set(Code)


def test_every_route_has_a_scope_or_is_open_to_all():
    assert {route.scope for route in ROUTES} <= {None, "read", "analyze", "stream", "plugins", "admin"}
    assert scope_of("POST", "/v1/video/submit") == "analyze"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Has Space"},
        {"name": "dotted.name"},
        {"version": "1"},
        {"tools": []},
        {"tools": [{"name": "a", "aliases": ["b"]}, {"name": "b"}]},
        {"isolation": "thread"},
        {"surprise": 1},
    ],
    ids=["space", "dot", "version", "no tools", "alias twice", "isolation", "unknown field"],
)
def test_a_manifest_with_an_error_is_refused(changes):
    good = {"name": "p", "version": "1.2.3", "tools": [{"name": "a"}]}
    PluginManifest.model_validate(good)

    with pytest.raises(ValidationError):
        PluginManifest.model_validate({**good, **changes})


@pytest.mark.parametrize(
    ("kind", "tools", "job_type"),
    [("video", 1, "video"), ("video", 3, "video_multi"), ("image", 1, "image"), ("image", 2, "image_multi")],
)
def test_a_job_type_says_what_the_media_is_and_whether_tools_are_several(kind, tools, job_type):
    found = JobType.of(kind, tools)

    assert (found.value, found.kind) == (job_type, kind)
