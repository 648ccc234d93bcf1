"""Import failures: a plugin that cannot be imported becomes data with a reason, and nothing else happens."""

import pytest
import pytest_asyncio

from forgesyte_contracts.plugins import PluginState
from tests.stability.runner import available, by_name, running_runner

REASONS = {
    "import-fails": "ModuleNotFoundError: No module named 'no_such_package_anywhere'",
    "import-syntax-error": "SyntaxError: invalid syntax",
    "import-exits": "SystemExit: usage: detect.py VIDEO",
    "import-hangs": "took longer than its limit of 6 s",
    "import-segfaults": "SIGSEGV",
    "module-missing": "ModuleNotFoundError",
    "manifest-no-such-class": "AttributeError",
    "manifest-not-a-plugin": "TypeError: expected forgesyte_misbehaving.manifests:not_a_plugin to be a class",
}

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imports")
    async with running_runner(folder, ["healthy", *REASONS], load_timeout_s=6, loads_at_once=1) as runner:
        yield runner


@pytest_asyncio.fixture(loop_scope="session")
async def beat(runner):
    return await runner.heartbeat(1 + len(REASONS))


async def test_a_plugin_whose_import_fails_is_failed_with_the_import_error_in_its_reason(beat):
    shown = by_name(beat)

    assert {name: shown[name].state for name in REASONS} == dict.fromkeys(REASONS, PluginState.FAILED)
    assert {name: shown[name].reason for name in REASONS if REASONS[name] not in (shown[name].reason or "")} == {}


async def test_nothing_crashes_when_imports_fail_hang_or_segfault(runner, beat):
    again = await runner.heartbeat(1 + len(REASONS))

    assert runner.process.poll() is None
    assert (beat.pid, again.pid) == (runner.process.pid, runner.process.pid)
    assert by_name(again)["healthy"].state is PluginState.INITIALIZED


async def test_a_plugin_whose_import_fails_is_not_among_the_available(beat):
    assert available(beat) == ["healthy"]
