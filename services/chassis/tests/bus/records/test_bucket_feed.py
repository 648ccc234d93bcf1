import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus.records.bucket_feed import CHECK_EVERY_S
from forgesyte_contracts import moves
from forgesyte_contracts.warnings import JobWarning
from tests.support import eventually


class Seen:
    """Everything the feed gave out, and the records as a reader of it knows them."""

    def __init__(self, feed):
        self.feed = feed
        self.changes = []
        self.records = {}

    async def follow(self):
        async for change in self.feed:
            self.changes.append(change)
            if change.record is None:
                self.records.pop(change.job_id, None)
            else:
                self.records[change.job_id] = change.record


@asynccontextmanager
async def following(bus):
    async with bus.jobs.watch() as feed:
        seen = Seen(feed)
        async with beside(seen.follow()):
            yield seen


def warn(text):
    return lambda record: moves.warned(record, [JobWarning(text=text)])


async def test_feed_gives_the_snapshot_then_every_change(bus, a_record):
    old = await bus.jobs.create(a_record())
    async with following(bus) as seen:
        await eventually(lambda: old.record.job_id in seen.records)

        new = await bus.jobs.create(a_record())
        changed = await bus.jobs.change(old.record.job_id, warn("x"))
        await eventually(lambda: len(seen.changes) == 3)

    assert [(c.record, c.revision) for c in seen.changes] == [
        (stored.record, stored.revision) for stored in (old, new, changed)
    ]


async def test_feed_over_an_empty_bucket_is_current(bus):
    async with following(bus) as seen:
        await eventually(lambda: seen.feed.is_current)

    assert (seen.feed.lag, seen.changes) == (0, [])


async def test_removed_record_is_told_once(bus, a_record):
    stored = await bus.jobs.create(a_record())
    async with following(bus) as seen:
        await eventually(lambda: seen.records)
        await bus.jobs.purge(stored.record.job_id)
        await eventually(lambda: not seen.records)

    assert [change.record for change in seen.changes] == [stored.record, None]


async def test_marker_of_a_record_removed_before_is_no_news(bus, a_record):
    stored = await bus.jobs.create(a_record())
    await bus.jobs.purge(stored.record.job_id)

    async with following(bus) as seen:
        await eventually(lambda: seen.feed.is_current)

    assert seen.changes == []


async def test_unreadable_record_does_not_stop_the_feed(bus, a_record):
    async with following(bus) as seen:
        await bus.jobs._bucket.write("broken", b"{")
        good = await bus.jobs.create(a_record())
        await eventually(lambda: good.record.job_id in seen.records)

    assert len(seen.changes) == 1


@pytest.mark.slow
async def test_feed_goes_on_over_a_killed_server_and_repeats_nothing(server, bus, a_record):
    old = await bus.jobs.create(a_record())
    async with following(bus) as seen:
        await eventually(lambda: seen.records)

        await server.restart()
        new = await bus.jobs.create(a_record())
        await eventually(lambda: new.record.job_id in seen.records)
        changed = await bus.jobs.change(old.record.job_id, warn("after"))
        await eventually(lambda: seen.records[old.record.job_id] == changed.record)
        await eventually(lambda: seen.feed.is_current)

    assert [change.revision for change in seen.changes] == [old.revision, new.revision, changed.revision]


@pytest.mark.slow
async def test_feed_is_not_current_while_the_server_is_gone(server, bus):
    async with following(bus) as seen:
        await eventually(lambda: seen.feed.is_current)
        server.kill()

        await eventually(lambda: not seen.feed.is_current)
        await eventually(lambda: seen.feed.behind_for_s > 1)


@pytest.mark.slow
async def test_feed_is_behind_since_it_last_had_everything_and_not_since_it_was_opened(server, bus, a_record):
    loop = asyncio.get_running_loop()
    async with following(bus) as seen:
        await eventually(lambda: seen.feed.is_current)
        written_s = loop.time()
        stored = await bus.jobs.create(a_record())
        await eventually(lambda: stored.record.job_id in seen.records and seen.feed.behind_for_s == 0)
        server.kill()

        behind_for_s = await eventually(lambda: seen.feed.behind_for_s)
        since_written_s = loop.time() - written_s

    assert behind_for_s < since_written_s


@pytest.mark.slow
async def test_feed_whose_consumer_died_in_silence_is_renewed(bus, a_record):
    async with following(bus) as seen:
        await eventually(lambda: seen.feed.is_current)
        name = seen.feed._feed._watch.name
        await bus._main.api(f"CONSUMER.DELETE.KV_jobs.{name}")

        stored = await bus.jobs.create(a_record())
        await eventually(lambda: stored.record.job_id in seen.records, what="the watchdog saw that it was behind")
        await eventually(lambda: seen.feed.is_current)
        assert seen.feed._feed._watch.name != name

    assert bus.reconnects == 0


@pytest.mark.slow
async def test_feed_that_lost_a_delivery_takes_a_new_snapshot(connect, proxy, a_record):
    watcher, writer = await connect(proxy.url), await connect()
    async with following(watcher) as seen:
        await eventually(lambda: seen.feed.is_current)
        proxy.swallow = lambda chunk: b'"plugin_id"' in chunk and proxy.swallowed == 0

        lost = await writer.jobs.create(a_record())
        await eventually(lambda: proxy.swallowed == 1)
        after = await writer.jobs.create(a_record())
        await eventually(lambda: len(seen.records) == 2)

    assert set(seen.records) == {lost.record.job_id, after.record.job_id}


@pytest.mark.slow
async def test_record_that_vanished_without_a_word_is_told_as_removed(server, bus, a_record):
    gone, kept = await bus.jobs.create(a_record()), await bus.jobs.create(a_record())
    async with following(bus) as seen:
        await eventually(lambda: len(seen.records) == 2)
        await bus._main.api("STREAM.PURGE.KV_jobs", {"filter": f"$KV.jobs.{gone.record.job_id}"})

        await server.restart()
        await eventually(lambda: set(seen.records) == {kept.record.job_id})


@pytest.mark.slow
async def test_recreated_bucket_is_followed_from_its_start(server, bus, a_record):
    for _ in range(3):
        await bus.jobs.create(a_record())
    async with following(bus) as seen:
        await eventually(lambda: len(seen.records) == 3)
        await bus._main.api("STREAM.DELETE.KV_jobs")
        await bus.ensure()

        new = await bus.jobs.create(a_record())
        await eventually(lambda: set(seen.records) == {new.record.job_id})


@pytest.mark.slow
async def test_snapshot_of_many_records_is_complete_while_they_change(bus, a_record):
    stored = await asyncio.gather(*(bus.jobs.create(a_record()) for _ in range(100)))

    async with following(bus) as seen:
        await asyncio.gather(*(bus.jobs.change(each.record.job_id, warn("x")) for each in stored))
        await eventually(lambda: len(seen.records) == 100 and all(r.warnings for r in seen.records.values()))

    revisions = [change.revision for change in seen.changes]
    assert revisions == sorted(set(revisions))


def test_watchdog_looks_every_second():
    assert CHECK_EVERY_S == 1.0


@pytest.mark.slow
async def test_bucket_that_went_back_is_reported_again_whatever_the_revisions_were(server, bus, a_record):
    """A restored copy: what stands there now counts, although higher revisions of it were seen."""
    stays, vanishes = await bus.jobs.create(a_record()), a_record()
    await copy_of(server, bus)
    for number in range(3):
        await bus.jobs.change(stays.record.job_id, warn(str(number)))
    await bus.jobs.create(vanishes)
    async with following(bus) as seen:
        await eventually(lambda: len(seen.records) == 2)
        seen.changes.clear()

        await restore(server, bus)
        await eventually(lambda: len(seen.changes) == 2)

    assert seen.records == {stays.record.job_id: stays.record}
    assert all(change.is_anew for change in seen.changes)


@pytest.mark.slow
async def test_bucket_that_went_back_and_on_again_is_told_where_it_fell_behind(server, bus, a_record):
    stays = await bus.jobs.create(a_record())
    await copy_of(server, bus)
    await bus.jobs.change(stays.record.job_id, warn("lost"))
    async with following(bus) as seen:
        await eventually(lambda: seen.records and seen.records[stays.record.job_id].warnings)
        feed = seen.feed._feed
        look, feed._check = feed._check, nothing

        await restore(server, bus)
        for _ in range(3):
            await bus.jobs.create(a_record())
        feed._check = look
        await eventually(lambda: len(seen.records) == 4)

    assert seen.records[stays.record.job_id] == stays.record


async def test_reader_that_keeps_up_with_a_stream_that_never_rests_is_not_taken_for_dead(bus, a_record, monkeypatch):
    """At each look something is on its way: what counts is whether the reader has what was there one look ago."""
    job_id = (await bus.jobs.create(a_record())).record.job_id
    monkeypatch.setattr("forgesyte_chassis.bus.records.bucket_feed.BEHIND_LIMIT_S", 0.0)
    async with bus.jobs.watch() as jobs:
        feed = jobs._feed
        await feed.snapshot()
        watch, last_sequence = feed._watch, feed._last_sequence

        async def one_more_is_on_its_way():
            return await last_sequence() + 1

        feed._last_sequence = one_more_is_on_its_way
        for number in range(4):
            await feed._check()
            await bus.jobs.change(job_id, warn(str(number)))
            await feed._take(await feed._watch.messages.get())

        assert feed._watch is watch


async def nothing():
    """A look that sees nothing."""


async def copy_of(server, bus):
    """Stop the server, copy what it holds, go on."""
    server.kill()
    await asyncio.to_thread(shutil.copytree, server.folder / "jetstream", server.folder / "copy")
    await server.start()
    await bus.wait_connected(60)


async def restore(server, bus):
    """Put the copy in place of what the server holds now."""
    server.kill()
    await asyncio.to_thread(shutil.rmtree, server.folder / "jetstream")
    await asyncio.to_thread(shutil.move, server.folder / "copy", server.folder / "jetstream")
    await server.start()
    await bus.wait_connected(60)
