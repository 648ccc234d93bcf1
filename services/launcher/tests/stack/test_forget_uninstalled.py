from datetime import UTC, datetime

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.plugins import KnownPlugin, PluginHealth, PluginState
from forgesyte_launcher.stack.forget_uninstalled import forget_uninstalled
from tests.support import nats_server

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_known(name):
    health = PluginHealth(name=name, version="1.0.0", state=PluginState.INITIALIZED)
    return KnownPlugin(manifest=None, health=health, updated_at=NOW)


async def test_an_uninstalled_plugin_is_forgotten_and_an_installed_one_is_kept(monkeypatch):
    monkeypatch.setenv("FORGESYTE_RUNNER_PLUGINS", "another")
    async with nats_server() as server, Bus.connect(server.url, name="test") as bus:
        await bus.ensure()
        for name in ("motion-detector", "uninstalled"):
            await bus.plugins.write(a_known(name))

        await forget_uninstalled(bus)

        assert await bus.plugins.read("uninstalled") is None
        assert await bus.plugins.read("motion-detector") == a_known("motion-detector")
