"""The configuration of ForgeSyte's nats-server, made from the one template nats-server.conf.

Each ${name} in the template is replaced by a quoted string, so that no path or token can end its setting or begin
another; the server resolves no variables inside quotes. An installer that cannot call this module, such as a chart,
fills the template in by plain text replacement.
"""

import os
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

ANY_PORT = -1
"""The server takes any free port and writes its number to the ports file."""

_TEMPLATE = "nats-server.conf"
_ESCAPED = {ord('"'), ord("\\")}


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What differs between servers.

    Attributes:
        store_folder: JetStream's folder: records and work.
        ports_folder: where the server writes `nats-server_PID.ports`.
        port: the client port, on loopback.
        token: what clients must present; empty lets every client in.
        server_name: the server's name in its log and in a cluster.
        sync_interval: how often writes are flushed to the disk; `always` is before each acknowledgement.
    """

    store_folder: Path
    ports_folder: Path
    port: int = ANY_PORT
    token: str = ""
    server_name: str = "forgesyte"
    sync_interval: str = "always"

    def text(self) -> str:
        """Return the text of the configuration file, in ASCII."""
        values = asdict(self) | {"listen": f"127.0.0.1:{self.port}"}
        return template().substitute({name: quoted(str(value)) for name, value in values.items()})


@cache
def template() -> Template:
    """Return the template as it is packaged."""
    return Template((files(__package__) / _TEMPLATE).read_text(encoding="utf-8"))


def quoted(text: str) -> str:
    r"""Return `text` as a quoted string of the server's configuration language.

    JSON's quoting was rejected: the language does not know \u, so a folder named "café" would be refused.
    Source: nats-server, conf/lex.go, lexStringEscape (\t \n \r \" \\ and \xHH).

    >>> print(quoted('a "b" é'))
    "a \"b\" \xc3\xa9"
    """
    return f'"{"".join(map(_escaped, os.fsencode(text)))}"'


def _escaped(byte: int) -> str:
    if byte in _ESCAPED:
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
