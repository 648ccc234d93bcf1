"""The address of the message broker: parse it, and wait until a server listens there."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

_DEFAULT_PORT = 4222
_POLL_S = 0.05


def servers_of(url: str) -> list[str]:
    """Split `nats://a:4222,nats://b:4222` into its servers."""
    return [part.strip() for part in url.split(",") if part.strip()]


def without_secret(server: str) -> str:
    """Return the address without the user or token before its `@`."""
    return server.rpartition("@")[2]


async def wait_for_port(servers: list[str]) -> None:
    """Wait until one of the servers accepts a connection; the caller sets the limit."""
    while True:
        for server in servers:
            address = urlsplit(server if "://" in server else f"nats://{server}")
            with suppress(OSError):
                _, writer = await asyncio.open_connection(address.hostname, address.port or _DEFAULT_PORT)
                writer.close()
                return
        await asyncio.sleep(_POLL_S)
