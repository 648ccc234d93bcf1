"""`forgesyte plugins` against a running server: list, show, reload."""

from typing import Any

from forgesyte_launcher.client.client import ApiClient
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import say, stdout, table, warn

from .command_runs import ExitCode
from .server_command import Server, ask_server


def list_server_plugins(server: Server, settings: LauncherSettings, *, as_json: bool) -> ExitCode:
    """Print every plugin the server knows; a broken one is a row with its reason."""

    async def ask(client: ApiClient) -> ExitCode:
        found = await client.plugins()
        warn(f"plugins of {client.server}:")
        if as_json:
            stdout().print_json(data=found)
        elif found:
            table("plugin", "version", "state", "jobs done", "jobs failed", "reason", rows=[_row(one) for one in found])
        else:
            warn("none: no runner has reported yet, or no runner offers a plugin")
        return ExitCode.OK

    return ask_server(server, settings, ask, name="plugins")


def show_plugin(server: Server, settings: LauncherSettings, name: str, *, as_json: bool) -> ExitCode:
    """Print what the server knows about one plugin."""

    async def ask(client: ApiClient) -> ExitCode:
        report = await client.plugin(name)
        if as_json:
            stdout().print_json(data=report)
        else:
            table("field", "value", rows=_facts(report))
        return ExitCode.OK

    return ask_server(server, settings, ask, name="plugins")


def reload_plugin(server: Server, settings: LauncherSettings, name: str) -> ExitCode:
    """Request a reload and print how many runners were asked."""

    async def ask(client: ApiClient) -> ExitCode:
        answer = await client.reload_plugin(name)
        runners = "1 runner is" if answer["runners"] == 1 else f"{answer['runners']} runners are"
        say(f"{runners} reloading {answer['plugin']}")
        warn(f"`forgesyte plugins show {name}` shows the result within seconds")
        return ExitCode.OK

    return ask_server(server, settings, ask, name="plugins")


def _row(health: dict[str, Any]) -> tuple[str, ...]:
    columns = ("name", "version", "state", "success_count", "error_count", "reason")
    return tuple(_text(health.get(column)) for column in columns)


def _facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows worth showing: metadata, health, timings, tools and runners, without empty values."""
    health = report["health"]
    facts = {**report["metadata"], **health, **report["timings"]}
    facts["tools"] = [tool["name"] for tool in report["tools"]]
    facts["runners"] = [f"{one['runner_id']} {one['state']}" for one in report["runners"]]
    facts["policy"] = (health.get("policy") or {}).get("word")
    rows = ((name, _text(value)) for name, value in facts.items())
    return [(name, text) for name, text in rows if text]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(inner)}" for name, inner in value.items() if inner not in (None, [], {}))
    return "" if value is None else str(value)
