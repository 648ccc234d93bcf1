"""Keeps a view in memory in step with a bucket, for as long as a block runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus.connection.connection import Connection

from .bucket_feed import BucketFeed, Entry, watch_bucket


@asynccontextmanager
async def keeping_current(take: Callable[[Entry], None], connection: Connection, bucket: str) -> AsyncIterator[None]:
    """Give every entry of a bucket to `take`: those that are there before the block begins, later ones while it runs.

    Raises:
        BusUnavailable: the bucket could not be read at the start.
    """
    async with watch_bucket(connection, bucket) as feed:
        for entry in await feed.snapshot():
            take(entry)
        async with beside(_hand_on(feed, take)):
            yield


async def _hand_on(feed: BucketFeed, take: Callable[[Entry], None]) -> None:
    async for entry in feed:
        take(entry)
