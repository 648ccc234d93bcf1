"""`forgesyte plugins audit`: checks that a server's answers about its plugins are consistent.

It works on the plain JSON, because the answers may be invalid and no model may repair or refuse them on the way. A
broken plugin is not a finding, but a broken plugin without a reason is.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.client.client import ApiClient
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import stdout, table, warn

from .command_runs import ExitCode
from .server_command import Server, ask_server

REASON_CHARS = 10
"""A reason that is not longer than this cannot name what is missing and what to do."""

ROUNDS = 3
"""State that changes between two requests may look like a contradiction, so one round without findings is enough."""

_NEXT_ROUND_S = 0.5
_BROKEN = (PluginState.FAILED, PluginState.UNAVAILABLE)
_SHARED_FIELDS = ("name", "version", "description", "state", "reason")
_COUNTS = ("success_count", "error_count")


@dataclass(frozen=True, slots=True)
class Answers:
    """The server's answers, read at nearly the same moment.

    Attributes:
        listed: GET /v1/plugins.
        counted: GET /v1/plugins/.
        details: name -> GET /v1/plugins/{name}, or the error's text.
        healths: name -> GET /v1/plugins/{name}/health, or the error's text.
    """

    listed: list[Any]
    counted: dict[str, Any]
    details: dict[str, dict[str, Any] | str]
    healths: dict[str, dict[str, Any] | str]


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One inconsistency: the plugin it is about (`*`: all of them together), and what is wrong."""

    plugin: str
    text: str


def audit(server: Server, settings: LauncherSettings, *, as_json: bool) -> ExitCode:
    """Print every plugin with its findings; ExitCode.FAILED when there are any."""

    async def ask(client: ApiClient) -> ExitCode:
        answers = await read_answers(client)
        for _round in range(ROUNDS - 1):
            if not any(findings_in(answers)):
                break
            await asyncio.sleep(_NEXT_ROUND_S)
            answers = await read_answers(client)
        findings = list(findings_in(answers))
        _show(client.server, answers, findings, as_json=as_json)
        return ExitCode.FAILED if findings else ExitCode.OK

    return ask_server(server, settings, ask, name="plugins")


async def read_answers(client: ApiClient) -> Answers:
    """Request both lists, and the detail and the health of every plugin in them.

    Raises:
        ForgeSyteError: a list cannot be read at all.
    """
    listed = await client.plugins()
    names = [one["name"] for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return Answers(
        listed,
        await client.plugin_counts(),
        {name: await _or_error_text(client, name, detail=True) for name in names},
        {name: await _or_error_text(client, name, detail=False) for name in names},
    )


async def _or_error_text(client: ApiClient, name: str, *, detail: bool) -> dict[str, Any] | str:
    try:
        return await client.plugin(name, "" if detail else "/health")
    except ForgeSyteError as error:
        return error.detail


def findings_in(answers: Answers) -> Iterator[AuditFinding]:
    """Yield every inconsistency in the answers."""
    yield from _of_the_list(answers)
    for one in answers.listed:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str):
            yield AuditFinding("*", f"the list has an entry without a name: {str(one)[:80]}")
            continue
        for text in (*_of_state(one), *_of_counts(one), *_of_detail(one, answers)):
            yield AuditFinding(name, text)


def _of_the_list(answers: Answers) -> Iterator[AuditFinding]:
    states = [one.get("state") for one in answers.listed if isinstance(one, dict)]
    names = [str(one.get("name")) for one in answers.listed if isinstance(one, dict)]
    if names != sorted(set(names)):
        yield AuditFinding("*", f"the list is not sorted by name, or has a name twice: {', '.join(names)}")
    failed, unavailable = states.count(PluginState.FAILED), states.count(PluginState.UNAVAILABLE)
    usable = len(answers.listed) - failed - unavailable
    expected = {"total": len(answers.listed), "available": usable, "failed": failed, "unavailable": unavailable}
    counted = {name: answers.counted.get(name) for name in expected}
    if counted != expected:
        yield AuditFinding("*", f"/v1/plugins/ counts {counted}, but the list has {expected}")


def _of_state(one: dict[str, Any]) -> Iterator[str]:
    state = one.get("state")
    if state not in PluginState.__members__.values():
        yield f"state {state!r} is not one of {', '.join(PluginState)}"
    reason = one.get("reason")
    if state in _BROKEN and not (isinstance(reason, str) and len(reason.strip()) > REASON_CHARS):
        yield f"{state} without a reason that says what is missing and what to do: {reason!r}"


def _of_counts(one: dict[str, Any]) -> Iterator[str]:
    for name in _COUNTS:
        count = one.get(name)
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            yield f"{name} is {count!r}, expected a non-negative integer"


def _of_detail(one: dict[str, Any], answers: Answers) -> Iterator[str]:
    report = answers.details[one["name"]]
    places = {
        "/v1/plugins/{name}": report if isinstance(report, str) else report.get("health"),
        "/v1/plugins/{name}/health": answers.healths[one["name"]],
    }
    for place, health in places.items():
        if not isinstance(health, dict):
            yield f"{place} does not answer with its health: {str(health)[:200]}"
            continue
        for field in _SHARED_FIELDS:
            if health.get(field) != one.get(field):
                yield f"{field} is {one.get(field)!r} in the list and {health.get(field)!r} in {place}"


def _show(server: str, answers: Answers, findings: list[AuditFinding], *, as_json: bool) -> None:
    if as_json:
        texts = [{"plugin": finding.plugin, "finding": finding.text} for finding in findings]
        stdout().print_json(
            data={"server": server, "ok": not findings, "plugins": len(answers.listed), "findings": texts}
        )
        return
    plugins = [one for one in answers.listed if isinstance(one, dict)]
    states = {str(one.get("name")): str(one.get("state")) for one in plugins}
    texts_of: dict[str, list[str]] = {name: [] for name in states}
    for finding in findings:
        texts_of.setdefault(finding.plugin, []).append(finding.text)
    rows = [(name, states.get(name, ""), "; ".join(lines) or "ok") for name, lines in texts_of.items()]
    table("plugin", "state", "finding", rows=rows)
    warn(f"{server}: {len(answers.listed)} plugins, {len(findings)} findings")
