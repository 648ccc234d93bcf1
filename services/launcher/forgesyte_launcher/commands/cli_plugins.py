"""The command line of `forgesyte plugins`; a command imports what it does when it runs."""

from typing import Annotated

import typer

from .options import (
    DEFAULT_SERVER,
    HELP,
    DegradedOption,
    JsonOption,
    KeyOption,
    PermitOption,
    ServerOption,
    leave,
    load_settings,
)

plugins_app = typer.Typer(help="Show, reload and audit the plugins installed here or on a running server.", **HELP)

PluginArgument = Annotated[str, typer.Argument(metavar="NAME", help="The plugin's name.")]


@plugins_app.command("list", epilog="Example: forgesyte plugins list --server http://127.0.0.1:8000")
def plugins_list(
    *,
    as_json: JsonOption = False,
    permit: PermitOption = None,
    allow_degraded_sandbox: DegradedOption = False,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="FORGESYTE_SERVER", metavar="URL", help="A running server.", show_default="what is installed here"
        ),
    ] = None,
    api_key: KeyOption = None,
) -> None:
    """List plugins with their state and, for a plugin that cannot be used, the reason.

    Without --server it lists the plugins installed here, each checked in a sandbox; with --server those that the
    server's runners offer. The first line, on stderr, says which.
    """
    if server is None:
        from .installed_plugins import list_plugins

        settings = load_settings(allows_degraded=allow_degraded_sandbox)
        leave(list_plugins(settings, as_json=as_json, permitted=tuple(permit or ())))
    from .server_command import Server
    from .server_plugins import list_server_plugins

    leave(list_server_plugins(Server(server, api_key), load_settings(), as_json=as_json))


@plugins_app.command("show", epilog="Example: forgesyte plugins show motion-detector --json")
def plugins_show(
    *,
    name: PluginArgument,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show what a running server knows about one plugin: state and reason, counts, timings, tools, runners."""
    from .server_command import Server
    from .server_plugins import show_plugin

    leave(show_plugin(Server(server, api_key), load_settings(), name, as_json=as_json))


@plugins_app.command("reload", epilog="Example: forgesyte plugins reload motion-detector")
def plugins_reload(*, name: PluginArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Ask every runner to reload a plugin, for example after a missing dependency was installed.

    If the server asks for keys, the key needs the scope admin.
    """
    from .server_command import Server
    from .server_plugins import reload_plugin

    leave(reload_plugin(Server(server, api_key), load_settings(), name))


@plugins_app.command("audit", epilog="Example: forgesyte plugins audit --json")
def plugins_audit(
    *, as_json: JsonOption = False, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None
) -> None:
    """Check that a running server's answers about its plugins are consistent.

    Every state is a known one, the list agrees with the details, the counts are present and add up, and every plugin
    that cannot be used gives a reason. Exits with 0 when all of this holds, else with 1. A broken plugin that gives its
    reason is not a finding.
    """
    from .audit import audit
    from .server_command import Server

    leave(audit(Server(server, api_key), load_settings(), as_json=as_json))
