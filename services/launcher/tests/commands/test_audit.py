import asyncio
import sys
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_launcher.commands.audit import Answers, findings_in

REASON = "onnxruntime is missing; install it and reload the plugin"


def a_health(name: str = "ocr", **changes: Any) -> dict[str, Any]:
    """A healthy plugin's health, with these changes."""
    facts = {"version": "1.0.0", "description": "", "state": "INITIALIZED", "reason": None}
    return {"name": name, **facts, "success_count": 0, "error_count": 0} | changes


def answers_of(*healths: dict[str, Any], **changes: Any) -> Answers:
    """What a truthful server says of these plugins, with these changes."""
    states = [one.get("state") for one in healths]
    failed, unavailable = states.count("FAILED"), states.count("UNAVAILABLE")
    counts = {"available": len(healths) - failed - unavailable, "failed": failed, "unavailable": unavailable}
    facts: dict[str, Any] = {
        "listed": list(healths),
        "counted": {"plugins": list(healths), "total": len(healths), **counts},
        "details": {one["name"]: {"health": one} for one in healths},
        "healths": {one["name"]: one for one in healths},
    }
    return Answers(**(facts | changes))


@pytest.mark.parametrize(
    "healths",
    [
        pytest.param([], id="no plugin"),
        pytest.param([a_health("a"), a_health("b", state="RUNNING", success_count=3)], id="healthy ones"),
        pytest.param([a_health(state="FAILED", reason=REASON)], id="a broken one with its reason"),
        pytest.param([a_health(state="UNAVAILABLE", reason=REASON, version=None)], id="one that lacks something"),
    ],
)
def test_consistent_answers_have_no_findings(healths):
    assert list(findings_in(answers_of(*healths))) == []


@pytest.mark.parametrize(
    ("answers", "plugin", "words"),
    [
        pytest.param(answers_of(a_health(state="BROKEN")), "ocr", "'BROKEN' is not one of", id="illegal state"),
        pytest.param(answers_of(a_health(state=None)), "ocr", "None is not one of", id="no state"),
        pytest.param(answers_of(a_health(state="FAILED")), "ocr", "without a reason", id="no reason"),
        pytest.param(answers_of(a_health(state="UNAVAILABLE", reason="no")), "ocr", "without a", id="no real reason"),
        pytest.param(answers_of(a_health(success_count=None)), "ocr", "success_count is None", id="no count"),
        pytest.param(answers_of(a_health(error_count=-1)), "ocr", "error_count is -1", id="negative count"),
        pytest.param(answers_of(a_health(error_count=True)), "ocr", "error_count is True", id="count that is none"),
        pytest.param(answers_of(a_health("b"), a_health("a")), "*", "not sorted by name", id="order"),
        pytest.param(answers_of(a_health("a"), a_health("a")), "*", "has a name twice", id="twice"),
        pytest.param(answers_of(a_health(), counted={"total": 2}), "*", "/v1/plugins/ counts", id="wrong counts"),
        pytest.param(answers_of(a_health(), listed=[a_health(), 7]), "*", "without a name", id="no object"),
        pytest.param(
            answers_of(a_health(), details={"ocr": {"health": a_health(version="2.0.0")}}),
            "ocr",
            "version is '1.0.0' in the list and '2.0.0' in /v1/plugins/{name}",
            id="another detail",
        ),
        pytest.param(
            answers_of(a_health(), healths={"ocr": "no such plugin"}), "ocr", "no such plugin", id="refused health"
        ),
        pytest.param(answers_of(a_health(), details={"ocr": {}}), "ocr", "its health: None", id="no health"),
    ],
)
def test_an_inconsistency_is_found(answers, plugin, words):
    found = [(finding.plugin, finding.text) for finding in findings_in(answers)]

    assert any(who == plugin and words in text for who, text in found), found


@asynccontextmanager
async def serving_plugins(*, state: str):
    """A server with one plugin, in this state and without a reason."""
    health = a_health(state=state)
    counts = {"available": 0, "failed": 1, "unavailable": 0}

    def page(path: str, body: Any) -> Route:
        return Route(path, lambda _: JSONResponse(body))

    app = Starlette(
        routes=[
            page("/v1/plugins", [health]),
            page("/v1/plugins/", {"plugins": [health], "total": 1, **counts}),
            page("/v1/plugins/ocr", {"health": health}),
            page("/v1/plugins/ocr/health", health),
        ]
    )
    listener, stop = open_listener("127.0.0.1", 0), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(app, listener, stopping=stop))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()


@pytest.mark.slow
async def test_the_command_fails_when_a_broken_plugin_has_no_reason():
    async with serving_plugins(state="FAILED") as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "forgesyte_launcher", "plugins", "audit", "--server", url),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 1
    assert "FAILED without a reason" in out.decode()
