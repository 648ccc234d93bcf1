"""A sandbox's home for the length of a block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forgesyte_sandbox.parent.homes.homes import Home, Homes


@asynccontextmanager
async def leased(homes: Homes) -> AsyncIterator[Home]:
    """Lease a home for the block; when the block ends, no process of the home may be alive."""
    home = await homes.lease()
    try:
        yield home
    finally:
        await homes.give_back(home)
