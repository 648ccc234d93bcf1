"""Holds what the product showed of a fault against its promise: the answer to its upload, the end of its job."""

from datetime import datetime

import httpx

from tests.stability.product import FRAME_LIMIT_S
from tests.stability.promises import DIE_IN_LOAD, Promise
from tests.stability.report import Line

VERDICT_WITHIN_S = 1.0
PATIENCE = 10
"""The contract says 1 s. A machine that does a lot beside may be this many times slower; the table prints the truth."""

CODES = {"failed": "PLUGIN_ERROR", "timeout": "PLUGIN_TIMEOUT", "oom": "PLUGIN_OOM", "crashed": "PLUGIN_CRASH"}


def judge_refusal(promise: Promise, line: Line, answer: httpx.Response) -> list[str]:
    """What is wrong with the answer to an upload for a plugin that was seen to be broken."""
    line.found = f"{answer.status_code} {answer.json().get('detail', '')}"
    wrong = ["it was not refused with 409"] if answer.status_code != 409 else []
    return wrong + ([] if expected_text(promise) in line.found else [f"expected {expected_text(promise)!r}"])


def judge_job(promise: Promise, line: Line, job: dict) -> list[str]:
    """What is wrong with the end of a job whose plugin misbehaved."""
    outcomes = [attempt["outcome"] for attempt in job["attempts"]]
    line.found = f"{job['status']} {outcomes} {job['error_code']} {job['error_type']}: {job['error_message']}"
    if job["status"] == "completed":
        wrong = [] if "succeeded" in promise.kinds and outcomes == ["succeeded"] else ["it completed"]
        is_warned = any(promise.warning in text for text in job["warnings"]) or not promise.warning
        return wrong + ([] if is_warned else ["no warning"])
    if promise.plugin in DIE_IN_LOAD:
        wrong = [] if job["error_code"] == "PLUGIN_UNAVAILABLE" else ["expected that no runner can run it"]
        wrong += [] if outcomes == [*promise.kinds] else ["expected one attempt"]
        is_told = expected_text(promise) in job["error_message"]
        return wrong + ([] if is_told else [f"expected {expected_text(promise)!r}"])
    return judge_failure(promise, line, job, outcomes)


def judge_failure(promise: Promise, line: Line, job: dict, outcomes: list[str]) -> list[str]:
    """What is wrong with code, type, text, attempts and time of a job that failed."""
    kinds = [kind for kind in promise.kinds if job["error_code"] == CODES.get(kind)]
    if not kinds:
        return [f"expected {promise.kinds}"]
    wrong = [] if set(outcomes) <= {*promise.kinds} and len(outcomes) <= 3 else ["other attempts were expected"]
    if kinds == ["failed"] and promise.error_type not in ("", job["error_type"]):
        wrong.append(f"expected {promise.error_type}")
    if expected_text(promise).partition(" at frame")[0] not in job["error_message"]:
        wrong.append(f"expected {expected_text(promise)!r}")
    if kinds == ["timeout"]:
        line.over_s = seconds(job["attempts"][-1]) - FRAME_LIMIT_S
        wrong += ["late"] * (line.over_s > VERDICT_WITHIN_S * PATIENCE)
    return wrong


def expected_text(promise: Promise) -> str:
    """What must stand in the text; the limits of the product are its own."""
    return promise.text.partition(" than its limit")[0]


def seconds(attempt: dict) -> float:
    """How long an attempt took, from its claim (fetch and start included)."""
    begun, ended = (datetime.fromisoformat(attempt[key]) for key in ("started_at", "ended_at"))
    return (ended - begun).total_seconds()
