from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.results import ResultSummary
from forgesyte_launcher.commands.summary import show_summary, summary_rows

from ..builders import an_ended_job


def test_the_table_has_frames_detections_and_speed(tmp_path):
    found = ResultSummary(frame_count=377, detection_count=12, classes={"car": 9, "bus": 3})
    (tmp_path / "rows.jsonl").write_text("")

    rows = dict(summary_rows(an_ended_job(seconds=10, summary=found), tmp_path))

    assert rows["frames"] == "377"
    assert rows["detections"] == "12 (3 bus, 9 car)"
    assert rows["speed"] == "37.7 frames/s"
    assert rows["rows"] == str(tmp_path / "rows.jsonl")
    assert "result" not in rows


def test_a_job_that_never_ran_has_a_table_too(tmp_path, capsys):
    show_summary(an_ended_job(JobStatus.CANCELLED, started_at=None), "a [b].mp4", tmp_path)

    shown = capsys.readouterr().out
    assert "a [b].mp4: cancelled" in shown
    assert "frames" not in shown
