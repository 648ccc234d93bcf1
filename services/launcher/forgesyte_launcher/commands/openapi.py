"""`forgesyte openapi` and `forgesyte asyncapi`: the interface as documents, made from the same applications as a
server's, with no server running.
"""

from forgesyte_launcher.stack.apps import describe_apps
from forgesyte_launcher.terminal.output import say_document
from forgesyte_realtime_gateway.asyncapi import asyncapi_document
from forgesyte_realtime_gateway.description import describe
from forgesyte_realtime_gateway.settings import GatewaySettings

from .command_runs import ExitCode


def print_openapi() -> ExitCode:
    """Print the OpenAPI document that a server answers at GET /openapi.json."""
    say_document(describe_apps())
    return ExitCode.OK


def print_realtime() -> ExitCode:
    """Print the JSON Schema of every realtime message, by sender and type, as a server answers at GET /v1/realtime."""
    protocol = describe(GatewaySettings.model_construct())
    say_document({part: protocol[part] for part in ("server_messages", "client_messages")})
    return ExitCode.OK


def print_asyncapi() -> ExitCode:
    """Print the AsyncAPI document that a server answers at GET /asyncapi.json."""
    say_document(asyncapi_document())
    return ExitCode.OK
