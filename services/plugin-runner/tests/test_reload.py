"""Reloads in a real runner: the plugin is loaded again, and nothing else changes."""

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.jobs import AttemptOutcome
from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from tests.support import eventually

from .plugins.test_loading import install
from .test_jobs import assert_right, outcomes

PLUGIN = """
from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput


class Nothing(ToolOutput):
    pass


class Seek(Tool[ToolOptions, Nothing]):
    name = "seek"

    def process_frame(self, frame):
        return Nothing()


class Late(Plugin):
    name = "late"
    version = "{version}"
    tools = (Seek,)
"""


async def shown(box, name: str) -> PluginOnRunner | None:
    async with box.bus.runners.watch() as view:
        plugins = [plugin for beat in view.living().values() for plugin in beat.plugins]
    return next((plugin for plugin in plugins if plugin.name == name), None)


async def until(box, name: str, state: PluginState, version: str | None = None) -> PluginOnRunner:
    async def look() -> PluginOnRunner | None:
        plugin = await shown(box, name)
        fits = plugin is not None and plugin.state is state
        return plugin if fits and version in (None, plugin.manifest and plugin.manifest.version) else None

    return await eventually(look, 60, f"{name} is {state} {version or ''}")


async def test_a_reload_loads_the_plugin_again_even_if_it_was_broken_or_not_installed(box, tmp_path, monkeypatch):
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    box.start_runner(plugins="probe,late")
    missing = await until(box, "late", PluginState.FAILED)
    assert "no installed distribution offers the plugin 'late'" in missing.reason

    install(folder, "late", {"late": "late_plugin:Late"})
    (folder / "late_plugin.py").write_text("raise RuntimeError('half an upload')")
    await box.bus.control.reload(PluginName("late"))
    broken = await eventually(lambda: changed(box, missing.reason), 60, "it is found and broken")
    assert "RuntimeError: half an upload" in broken.reason

    (folder / "late_plugin.py").write_text(PLUGIN.format(version="1.0.0"))
    await box.bus.control.reload(PluginName("late"))
    assert (await until(box, "late", PluginState.INITIALIZED, "1.0.0")).reason is None

    (folder / "late_plugin.py").write_text(PLUGIN.format(version="10.0.0"))
    await box.bus.control.reload(PluginName("late"))
    await until(box, "late", PluginState.INITIALIZED, "10.0.0")


async def changed(box, reason: str) -> PluginOnRunner | None:
    plugin = await shown(box, "late")
    return plugin if plugin is not None and plugin.reason != reason else None


async def test_a_reload_leaves_running_jobs_and_the_other_plugins_alone(box, clip, gate):
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    before = await until(box, "probe", PluginState.RUNNING)

    await box.bus.control.reload(PluginName("probe"))

    await eventually(lambda: runner.log.read_text().count('"plugin ready"') == 2, 60, "it was loaded again")
    assert (await until(box, "probe", PluginState.RUNNING)).manifest == before.manifest
    gate.open()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]
    await assert_right(box, await box.ended(await box.submit(clip, "gate")))


async def test_a_request_about_a_plugin_that_is_not_offered_here_changes_nothing(box):
    runner = box.start_runner()
    await until(box, "probe", PluginState.INITIALIZED)

    for name in ("picture", "no-such-plugin", "NotAName"):
        await box.bus.control.reload(PluginName(name))
    await box.bus.control.reload(PluginName("probe"))

    await eventually(lambda: runner.log.read_text().count('"plugin ready"') == 2, 60, "the last request was handled")
    assert await shown(box, "picture") is None
    assert await shown(box, "no-such-plugin") is None
