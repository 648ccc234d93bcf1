import pytest

from forgesyte_contracts.jobs import AttemptOutcome
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.attempt.failure import death_of, failure_of
from forgesyte_sandbox.parent.outcome import SandboxOutcome


def an_outcome(**changes) -> SandboxOutcome:
    facts = {"ok": False, "result": None, "error": "no luck", "error_type": "RuntimeError", "execution_time_ms": 1.0}
    return SandboxOutcome(**{**facts, "kind": "failed", "code": Code.PLUGIN_ERROR, "frame": 7, **changes})


def test_a_plugin_s_exception_is_reported_with_exact_text_type_and_frame():
    failure = failure_of(an_outcome(), "seeker")

    assert (failure.code, failure.error_type, failure.frame) == (Code.PLUGIN_ERROR, "RuntimeError", 7)
    assert failure.message.startswith("The plugin 'seeker' raised RuntimeError at frame 7: no luck. ")
    assert "submit again" in failure.message


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"error_type": "PermissionError", "error": "[Errno 13] Permission denied"}, id="raised"),
        pytest.param({"traceback": "PermissionError: [Errno 1] Operation not permitted\n\nThe above"}, id="its-cause"),
        pytest.param(
            {"error_type": "EOFError", "log_tail": "  raise\nPermissionError: [Errno 1] Operation not permitted\n"},
            id="in-a-process-that-the-plugin-started",
        ),
    ],
)
def test_a_refusal_by_the_sandbox_leads_to_what_plugin_code_may_do(said):
    message = failure_of(an_outcome(**said), "seeker").message

    assert said.get("error", "no luck") in message
    assert "'What your code may do' in docs/writing-a-plugin.md" in message


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"error": "PermissionError: [Errno 13] is what it feared"}, id="a-text-that-speaks-of-it"),
        pytest.param({"error_type": "PermissionError", "code": Code.MEDIA_INVALID}, id="not-the-plugin-s"),
    ],
)
def test_another_failure_does_not_lead_there(said):
    assert "writing-a-plugin" not in failure_of(an_outcome(**said), "seeker").message


def test_bad_media_is_reported_with_what_is_expected_and_what_to_do():
    failure = failure_of(an_outcome(error="It is a text.", code=Code.MEDIA_INVALID, frame=None), "seeker")

    assert failure.message.startswith("It is a text. Media ")
    assert "Submit a file that opens" in failure.message


def test_a_death_is_described_as_a_clause():
    clause = "processing a frame took longer than its limit of 60 s"
    text = f"{clause} at frame 7; its process group was killed"

    death = death_of(an_outcome(kind="timeout", error=text, clause=clause, code=Code.PLUGIN_TIMEOUT))

    assert death == (AttemptOutcome.TIMEOUT, "processing a frame took longer than its limit of 60 s")
    assert death_of(an_outcome()) is None
