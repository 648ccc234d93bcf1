"""Init failures: a constructor or validate() that raises makes the plugin FAILED, with words that help."""

import pytest
import pytest_asyncio

from forgesyte_contracts.plugins import PluginState
from tests.stability.runner import available, by_name, running_runner

REASONS = {
    "construct-fails": "RuntimeError: construct went wrong; look at its log",
    "construct-hangs": "took longer than its limit of 6 s",
    "validate-fails": "RuntimeError: validate went wrong; look at its log",
    "validate-rejects-value": "ValueError: the setting colour is purple; set it to red or green",
    "validate-hangs": "took longer than its limit of 6 s",
    "validate-takes-3-gb": "memory was refused",
}

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inits")
    settings = {"load_timeout_s": 6, "loads_at_once": 1, "load_memory_bytes": 512 << 20}
    async with running_runner(folder, ["healthy", *REASONS], **settings) as runner:
        beat = await runner.heartbeat(1 + len(REASONS))
        assert available(beat) == ["healthy"]
        yield by_name(beat)


@pytest.mark.parametrize("plugin", [name for name in REASONS if name.startswith("construct")])
async def test_a_constructor_that_raises_or_hangs_makes_the_plugin_failed(shown, plugin):
    assert shown[plugin].state is PluginState.FAILED
    assert_helpful(shown[plugin], REASONS[plugin])


@pytest.mark.parametrize("plugin", [name for name in REASONS if name.startswith("validate")])
async def test_a_validate_that_raises_hangs_or_eats_makes_the_plugin_failed(shown, plugin):
    assert shown[plugin].state is PluginState.FAILED
    assert_helpful(shown[plugin], REASONS[plugin])


def assert_helpful(plugin, words):
    """The reason says what happened in the author's own words, and the manifest that was read is kept."""
    assert words in plugin.reason
    assert len(plugin.reason) > 10
    if "RuntimeError" in words or "ValueError" in words:
        assert plugin.manifest is not None
