import io
import json
import logging

import pytest
import structlog

from forgesyte_chassis import logs


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


def lines_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_event_facts_service_and_time():
    stream = io.StringIO()
    logs.configure(service="job-api", stream=stream)

    structlog.get_logger("x").info("job accepted", job_id="j1", plugin="p")

    (line,) = lines_of(stream)
    assert line["event"] == "job accepted"
    assert (line["job_id"], line["plugin"], line["service"], line["level"]) == ("j1", "p", "job-api", "info")
    assert line["timestamp"].endswith("Z")


def test_the_standard_librarys_logging_goes_the_same_way():
    stream = io.StringIO()
    logs.configure(service="runner", stream=stream)

    logging.getLogger("some.library").warning("disk at %d %%", 93)

    (line,) = lines_of(stream)
    assert (line["event"], line["logger"], line["service"]) == ("disk at 93 %", "some.library", "runner")


def test_an_exception_is_one_line_with_its_traceback():
    stream = io.StringIO()
    logs.configure(stream=stream)

    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("step failed")

    (line,) = lines_of(stream)
    assert "ValueError: broken" in line["exception"]


def test_lines_below_the_level_are_not_written():
    stream = io.StringIO()
    logs.configure(log_level="WARNING", stream=stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")

    assert stream.getvalue() == ""


def test_a_logger_made_before_configure_follows_it():
    stream = io.StringIO()
    early = structlog.get_logger("early")
    logs.configure(stream=stream)

    early.info("hello")

    assert lines_of(stream)[0]["event"] == "hello"


def test_what_is_bound_to_the_context_is_in_the_line():
    stream = io.StringIO()
    logs.configure(stream=stream)

    with structlog.contextvars.bound_contextvars(job_id="j9"):
        structlog.get_logger().info("claimed")

    assert lines_of(stream)[0]["job_id"] == "j9"


def test_console_lines_are_plain_text_without_a_terminal():
    stream = io.StringIO()
    logs.configure(log_format="console", stream=stream)

    structlog.get_logger().info("ready", port=8000)

    assert "ready" in stream.getvalue()
    assert "port=8000" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
