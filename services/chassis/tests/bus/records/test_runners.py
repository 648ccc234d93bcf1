import pytest
import structlog.testing

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_chassis.bus.records.bucket_feed import Entry
from forgesyte_chassis.bus.records.runners import KEPT_S, RunnerView
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from tests.support import HandClock, eventually


class FakeConnection:
    """What a view asks of its connection."""

    is_connected = True
    usable_for_s = 1000.0


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def a_view(clock):
    return RunnerView(FakeConnection(), 8.0, clock)


async def test_runner_that_beat_lives_and_one_that_said_goodbye_does_not(bus, a_heartbeat):
    await bus.runners.beat(a_heartbeat("one"))
    await bus.runners.beat(a_heartbeat("two"))

    await bus.runners.remove("two")

    assert await bus.runners.alive("one")
    assert not await bus.runners.alive("two")
    assert not await bus.runners.alive("never")


async def test_view_holds_what_lives_when_it_begins_and_follows(bus, a_heartbeat):
    await bus.runners.beat(a_heartbeat("one"))
    async with bus.runners.watch() as view:
        assert set(view.living()) == {"one"}

        await bus.runners.beat(a_heartbeat("two", slots_busy=1))
        await eventually(lambda: len(view.living()) == 2)
        await bus.runners.beat(a_heartbeat("one", draining=True))
        await eventually(lambda: view.living()["one"].draining)
        await bus.runners.remove("two")
        await eventually(lambda: set(view.living()) == {"one"})


@pytest.mark.slow
async def test_silent_runner_expires_in_the_bucket_and_in_the_view(bus, a_heartbeat):
    """TTL expiry raises no event: the view must notice by itself."""
    await bus.runners.beat(a_heartbeat())
    async with bus.runners.watch() as view:
        assert view.living()

        await eventually(lambda: not view.living())

    async def is_gone():
        return not await bus.runners.alive("runner-1")

    await eventually(is_gone)


@pytest.mark.slow
async def test_view_goes_on_over_a_killed_server(server, bus, a_heartbeat):
    await bus.runners.beat(a_heartbeat("one"))
    async with bus.runners.watch() as view:
        await server.restart()
        await bus.wait_connected(60)
        assert set(view.living()) == {"one"}

        await bus.runners.beat(a_heartbeat("two"))
        await eventually(lambda: "two" in view.living())


def beat_of(heartbeat):
    return Entry(heartbeat.runner_id, heartbeat.model_dump_json().encode(), 1)


def test_view_gives_a_runner_up_one_lifetime_after_its_last_beat(a_view, clock, a_heartbeat):
    a_view.take(beat_of(a_heartbeat()))

    clock.passed_s += 7.9
    assert a_view.living()
    clock.passed_s += 0.2
    assert not a_view.living()


@pytest.mark.parametrize(
    ("is_connected", "usable_for_s"), [pytest.param(False, 0.0, id="away"), pytest.param(True, 3.0, id="just back")]
)
def test_view_considers_no_runner_dead_around_an_outage(a_view, clock, a_heartbeat, is_connected, usable_for_s):
    a_view.take(beat_of(a_heartbeat()))
    a_view._connection.is_connected, a_view._connection.usable_for_s = is_connected, usable_for_s

    clock.passed_s += 60

    assert a_view.living()


def test_view_ignores_an_unreadable_heartbeat(a_view):
    a_view.take(Entry("odd", b"{", 1))

    assert a_view.living() == {}


def a_plugin(name, size_bytes):
    tool = ToolManifest(name="look", options_schema={"description": "x" * size_bytes})
    manifest = PluginManifest(name=name, version="1.0.0", tools=(tool,))
    return PluginOnRunner(name=name, state=PluginState.INITIALIZED, manifest=manifest)


async def test_beat_that_is_too_large_goes_without_its_largest_manifests(bus, a_heartbeat):
    """A runner whose heartbeats fail would be considered dead, and its jobs lost."""
    large = [a_plugin(f"large-{n}", 400_000) for n in range(3)]

    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            await bus.runners.beat(a_heartbeat(plugins=(a_plugin("small", 100), *large)))

    async with bus.runners.watch() as view:
        seen = view.living()["runner-1"].plugins
    assert [plugin.name for plugin in seen if plugin.manifest is None] == ["large-0", "large-1"]
    assert [(log["log_level"], log["plugins"]) for log in logs] == [("error", ["large-0", "large-1"])]


def test_unreadable_beat_is_one_line_in_the_log(a_view):
    with structlog.testing.capture_logs() as logs:
        a_view.take(Entry("odd", b"{", 1))

    assert [(log["event"], log["runner_id"]) for log in logs] == [("heartbeat unreadable", "odd")]
    assert "exc_info" not in logs[0]
    assert a_view.living() == {}


async def test_missing_bucket_is_no_dead_runner(bus, a_heartbeat):
    await bus.runners.beat(a_heartbeat())
    await bus._main.api("STREAM.DELETE.KV_runners")

    with pytest.raises(BusUnavailable):
        await bus.runners.alive("runner-1")


def test_view_still_knows_a_runner_that_fell_silent_but_none_that_took_its_leave(a_view, clock, a_heartbeat):
    for name in ("silent", "leaving", "coming back"):
        a_view.take(beat_of(a_heartbeat(name)))
    clock.passed_s += 9
    assert a_view.living() == {}

    a_view.take(Entry("leaving", None, 2))
    a_view.take(beat_of(a_heartbeat("coming back")))

    assert {runner_id: silent_s for runner_id, (silent_s, _) in a_view.known().items()} == {
        "silent": 9.0,
        "coming back": 0.0,
    }
    assert set(a_view.living()) == {"coming back"}


def test_view_forgets_a_silent_runner_after_kept_s(a_view, clock, a_heartbeat):
    a_view.take(beat_of(a_heartbeat()))

    clock.passed_s += KEPT_S
    assert a_view.known() == {}


def test_view_knows_when_a_runner_that_offered_a_plugin_last_took_its_leave(a_view, clock, a_heartbeat):
    plugin = a_plugin("ocr", 100)
    beat = a_heartbeat(plugins=(plugin,))
    a_view.take(beat_of(beat))
    assert a_view.left_s(plugin.name) is None

    a_view.take(Entry(beat.runner_id, None, 2))
    clock.passed_s += 5

    assert a_view.left_s(plugin.name) == 5
    assert a_view.left_s("another") is None
