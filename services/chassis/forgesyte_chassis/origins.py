"""Names of machines and origins of pages, as HTTP writes them: `localhost:8000`, `https://example.org`.

Only what is written is compared. No name is ever resolved here: what it resolves to can change between two requests,
which is how DNS rebinding works.
"""

import ipaddress
import re
from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]\\]+)(?::([0-9]{0,5}))?", re.ASCII)
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)", re.ASCII)


class Host(NamedTuple):
    """The name of a machine in lower case, IPv6 in brackets, and the port if one was written."""

    name: str
    port: int | None = None

    def with_port_of(self, scheme: str) -> "Host":
        """Return the host with the port that `scheme` implies, unless it has one."""
        return self if self.port is not None else Host(self.name, DEFAULT_PORTS.get(scheme))


def read_host(text: str) -> Host | None:
    """Read `name` or `name:port`, without the dot that may end a full name; None when it is neither.

    >>> read_host("LocalHost.:8000"), read_host("[::1]"), read_host("a b")
    (Host(name='localhost', port=8000), Host(name='[::1]', port=None), None)
    """
    found = _HOST.fullmatch(text.strip().lower())
    return Host(found[1].removesuffix("."), int(found[2]) if found[2] else None) if found else None


def read_origin(text: str) -> tuple[str, Host] | None:
    """Read `scheme://name` or `scheme://name:port`, with the port that the scheme implies; None when it is neither.

    >>> read_origin("http://Example.org"), read_origin("null"), read_origin("https://example.org/page")
    (('http', Host(name='example.org', port=80)), None, None)
    """
    found = _ORIGIN.fullmatch(text.strip().lower())
    host = read_host(found[2]) if found else None
    return (found[1], host.with_port_of(found[1])) if found and host else None


def is_loopback(host: str) -> bool:
    """Whether this address, or this name without its port, is always this machine itself.

    The only name that counts is `localhost`: any other could point elsewhere tomorrow.

    >>> is_loopback("127.8.8.8"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
