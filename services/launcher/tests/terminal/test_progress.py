import io

import pytest
from rich.console import Console

from forgesyte_contracts.jobs import JobStatus
from forgesyte_launcher.terminal.eta import Eta
from forgesyte_launcher.terminal.progress import PLAIN_EVERY_S, describe, facts, open_progress
from tests.support import HandClock

from ..builders import a_job, an_ended_job


def test_without_a_terminal_a_line_is_written_every_few_seconds_and_at_each_change():
    out, clock = io.StringIO(), HandClock()

    with open_progress(Console(file=out, width=200), clock=clock) as view:
        view.say("uploading")
        for second in range(int(PLAIN_EVERY_S) + 1):
            clock.passed_s = float(second)
            view.show(a_job(current_frame=second * 30, progress=second))
        view.show(an_ended_job(current_frame=377, total_frames=377, progress=100))

    lines = out.getvalue().splitlines()
    assert lines[0] == "uploading"
    assert [line.split("  ")[1] for line in lines[1:]] == ["0%", "5%", "100%"]
    assert lines[-1] == "motion-detector detect-motion: completed  100%  377/377 frames"


def lines_of(*jobs) -> list[str]:
    out, clock = io.StringIO(), HandClock()
    with open_progress(Console(file=out, width=200), clock=clock) as view:
        for job in jobs:
            clock.passed_s += PLAIN_EVERY_S
            view.show(job)
    return out.getvalue().splitlines()


def test_a_message_that_comes_late_does_not_turn_progress_back():
    lines = lines_of(
        a_job(current_frame=50, progress=50),
        a_job(current_frame=30, progress=30),
        an_ended_job(current_frame=100, total_frames=100, progress=100),
        a_job(current_frame=99, progress=99),
    )

    assert [line.split("  ")[1] for line in lines] == ["50%", "100%"]
    assert "completed" in lines[-1]


def test_a_new_attempt_is_shown_and_keeps_the_percentage():
    lines = lines_of(a_job(current_frame=50, progress=50), a_job(current_frame=3, progress=3, attempt=2))

    assert [line.split("  ")[1] for line in lines] == ["50%", "50%"]
    assert "(attempt 2)" in lines[-1]


def test_a_job_without_a_total_has_no_percentage_until_it_is_completed():
    lines = lines_of(a_job(current_frame=50), an_ended_job(current_frame=60))

    assert "%" not in lines[0]
    assert lines[-1] == "motion-detector detect-motion: completed  100%  60 frames"


def test_completed_is_the_last_line_though_results_are_written_after_the_job():
    out = io.StringIO()

    with open_progress(Console(file=out, width=200), clock=HandClock()) as view:
        view.show(an_ended_job(current_frame=60))
        view.say("drawing annotated.mp4")

    assert [line.split("  ")[0] for line in out.getvalue().splitlines()] == [
        "drawing annotated.mp4",
        "motion-detector detect-motion: completed",
    ]


def test_a_stream_is_reported_in_bytes():
    out, clock = io.StringIO(), HandClock()

    with open_progress(Console(file=out, width=200), clock=clock) as view:
        view.sent("stdin", None, 0)
        clock.passed_s = PLAIN_EVERY_S
        view.sent("stdin", None, 3 << 20)

    assert out.getvalue().splitlines() == ["uploading stdin", "uploading stdin  3.0 MiB"]


def test_without_a_terminal_a_long_upload_is_reported_every_few_seconds():
    out, clock = io.StringIO(), HandClock()

    with open_progress(Console(file=out, width=200), clock=clock) as view:
        for second in range(int(PLAIN_EVERY_S) + 1):
            clock.passed_s = float(second)
            view.sent("a.mp4", 10 << 20, second << 20)

    assert out.getvalue().splitlines() == ["uploading a.mp4", "uploading a.mp4  5.0 MiB of 10.0 MiB"]


def test_on_a_terminal_an_upload_has_a_bar_until_the_server_checks_it():
    out = io.StringIO()

    with open_progress(Console(file=out, width=120, force_terminal=True), clock=HandClock()) as view:
        view.sent("a.mp4", 1000, 420)
    assert "42%" in out.getvalue()

    out.truncate(0)
    with open_progress(Console(file=out, width=120, force_terminal=True), clock=HandClock()) as view:
        view.sent("a.mp4", 1000, 420)
        view.sent("a.mp4", 1000, 1000)
    assert "a.mp4 is uploaded; the server is checking it" in out.getvalue()
    assert "%" not in out.getvalue().rpartition("is checking it")[2], "how long that takes is unknown"


def test_on_a_terminal_there_is_a_bar():
    out = io.StringIO()

    with open_progress(Console(file=out, width=120, force_terminal=True), clock=HandClock()) as view:
        view.show(a_job(current_frame=158, progress=42))

    assert "42%" in out.getvalue()
    assert "158 frames" in out.getvalue()


def test_text_from_outside_is_not_read_as_markup():
    out = io.StringIO()

    with open_progress(Console(file=out, width=120), clock=HandClock()) as view:
        view.say("uploading [red]a[/red].mp4")

    assert out.getvalue() == "uploading [red]a[/red].mp4\n"


def test_facts_hold_frames_speed_and_time_left():
    eta = Eta()
    eta.observe(a_job(current_frame=0), 0.0)
    job = a_job(current_frame=50, total_frames=3100, progress=1)
    eta.observe(job, 2.0)

    assert facts(job, eta) == "50/3100 frames  25.0 fps  2:02 left"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        pytest.param(a_job(), "motion-detector detect-motion: running", id="one tool"),
        pytest.param(a_job(tools=("a", "b")), "motion-detector a+b: running", id="two tools"),
        pytest.param(a_job(attempt=2), "motion-detector detect-motion: running (attempt 2)", id="again"),
        pytest.param(an_ended_job(JobStatus.FAILED), "motion-detector detect-motion: failed", id="failed"),
    ],
)
def test_a_job_is_described_in_a_few_words(job, words):
    assert describe(job) == words
