"""The command line of `forgesyte plugins`; what its commands do is imported when they run."""

from typing import Annotated

import typer

from .options import DEFAULT_SERVER, HELP, JsonOption, KeyOption, ServerOption, leave, load_settings

plugins_app = typer.Typer(help="See how plugins are, here or on a running server.", **HELP)

PluginArgument = Annotated[str, typer.Argument(metavar="NAME", help="The plugin's name.")]


@plugins_app.command("list", epilog="Example: forgesyte plugins list --server http://127.0.0.1:8000")
def plugins_list(
    *,
    as_json: JsonOption = False,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="FORGESYTE_SERVER", metavar="URL", help="A running server.", show_default="what is installed here"
        ),
    ] = None,
    api_key: KeyOption = None,
) -> None:
    """List plugins with their state and what they lack.

    Without --server these are the plugins installed here, each one read in a sandbox; with it those that the server's
    runners offer. Which of the two is shown is said first, on stderr.
    """
    if server is None:
        from .installed_plugins import list_plugins

        leave(list_plugins(load_settings(), as_json=as_json))
    from .server_command import Server
    from .server_plugins import list_plugins_there

    leave(list_plugins_there(Server(server, api_key), load_settings(), as_json=as_json))


@plugins_app.command("show", epilog="Example: forgesyte plugins show motion-detector --json")
def plugins_show(
    *,
    name: PluginArgument,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show everything a running server knows of one plugin: state and reason, counts, times, tools, runners."""
    from .server_command import Server
    from .server_plugins import show_plugin

    leave(show_plugin(Server(server, api_key), load_settings(), name, as_json=as_json))


@plugins_app.command("reload", epilog="Example: forgesyte plugins reload motion-detector")
def plugins_reload(*, name: PluginArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Ask every runner to read a plugin anew, after what it lacked was put in place; a key needs the scope admin."""
    from .server_command import Server
    from .server_plugins import reload_plugin

    leave(reload_plugin(Server(server, api_key), load_settings(), name))


@plugins_app.command("audit", epilog="Example: forgesyte plugins audit --json")
def plugins_audit(
    *, as_json: JsonOption = False, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None
) -> None:
    """Check that what a running server says of its plugins holds together.

    Every state is a legal one, the list says what the detail says, counts are there and add up, and a plugin that can
    not be used says why. Exits with 0 when all of it holds, else with 1. A broken plugin that says why is no finding.
    """
    from .audit import audit
    from .server_command import Server

    leave(audit(Server(server, api_key), load_settings(), as_json=as_json))
