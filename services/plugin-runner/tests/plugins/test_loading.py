"""What a runner says of its plugins: manifests and states in its heartbeat, whatever a plugin does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_plugin_runner.plugins.lifecycle import REMEDY
from tests.support import TEST_PLUGINS, eventually

CODE = """
from pydantic import BaseModel

from forgesyte_sdk import Permissions, Plugin, PluginUnavailable, Tool, ToolOptions


class Nothing(BaseModel):
    pass


class Seek(Tool[ToolOptions, Nothing]):
    name = "seek"
    Options = ToolOptions
    Output = Nothing

    def process_frame(self, frame):
        return Nothing()


class Lacking(Plugin):
    name = "lacking"
    version = "1.0.0"
    tools = (Seek,)

    def validate(self):
        raise PluginUnavailable("the model lacks.onnx is missing; put it into the model folder")


class Failing(Lacking):
    name = "failing"

    def validate(self):
        raise RuntimeError("broken on purpose")


class Asking(Lacking):
    name = "asking"
    permissions = Permissions(read=("/etc/hosts",))

    def validate(self):
        open("/etc/hosts").close()


class Allowed(Asking):
    name = "allowed"


class Misnamed(Lacking):
    name = "another-name"

    def validate(self):
        pass
"""
PLUGINS = {
    "lacking": "strange_plugins:Lacking",
    "failing": "strange_plugins:Failing",
    "asking": "strange_plugins:Asking",
    "allowed": "strange_plugins:Allowed",
    "misnamed": "strange_plugins:Misnamed",
    "absent": "no_such_module:Absent",
    "twin": "strange_plugins:Lacking",
}


def install(folder: Path, distribution: str, plugins: dict[str, str]) -> None:
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {value}" for name, value in plugins.items())
    (info / "entry_points.txt").write_text(f"[forgesyte.plugins]\n{lines}\n")


@pytest.fixture
def strange_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins that are broken in six ways, and one that is not, on the path of the runner that the test starts."""
    folder = tmp_path / "plugins"
    install(folder, "strange", PLUGINS)
    install(folder, "stranger", {"twin": "strange_plugins:Failing"})
    (folder / "strange_plugins.py").write_text(CODE)
    path = os.pathsep.join(filter(None, (str(folder), TEST_PLUGINS, os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)


async def test_broken_plugins_are_data_and_the_good_one_works(box, clip, strange_plugins):
    names = ["probe", *PLUGINS]
    box.start_runner(plugins=",".join(names), permitted_plugins="allowed")

    def is_complete(beat: RunnerHeartbeat) -> bool:
        states = [plugin.state for plugin in beat.plugins]
        return len(states) == len(names) and PluginState.LOADED not in states

    async def complete() -> RunnerHeartbeat | None:
        async with box.bus.runners.watch() as view:
            return next(filter(is_complete, view.living().values()), None)

    beat = await eventually(complete, 60, "every plugin has a state")

    shown = {plugin.name: plugin for plugin in beat.plugins}
    assert {name: plugin.state for name, plugin in shown.items()} == {
        "absent": PluginState.FAILED,
        "allowed": PluginState.INITIALIZED,
        "asking": PluginState.UNAVAILABLE,
        "failing": PluginState.FAILED,
        "lacking": PluginState.UNAVAILABLE,
        "misnamed": PluginState.FAILED,
        "probe": PluginState.INITIALIZED,
        "twin": PluginState.FAILED,
    }
    assert shown["failing"].reason == f"RuntimeError: broken on purpose. {REMEDY}"
    assert shown["lacking"].reason == f"the model lacks.onnx is missing; put it into the model folder. {REMEDY}"
    assert shown["lacking"].manifest is not None
    assert (shown["asking"].reason or "").startswith("it asks for permission to read /etc/hosts, and the operator")
    assert "strange 1.0" in (shown["twin"].reason or "")
    assert "stranger 1.0" in (shown["twin"].reason or "")
    assert "another-name" in (shown["misnamed"].reason or "")
    assert [tool.name for tool in shown["probe"].manifest.tools] == ["gate", "hang", "die", "raise", "nan"]
    assert (await box.ended(await box.submit(clip, "gate"))).status == "completed"


async def test_the_runner_itself_never_maps_a_decoder_or_a_numeric_library(box, clip):
    runner = box.start_runner()
    await box.ended(await box.submit(clip, "gate"))

    mapped = Path(f"/proc/{runner.pid}/maps").read_text()

    assert not [name for name in ("libav", "cv2", "numpy", "torch") if name in mapped]


def test_importing_the_whole_runner_imports_no_decoder_no_numeric_library_and_no_plugin():
    code = "import sys, forgesyte_plugin_runner.__main__; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    tops = {name.partition(".")[0] for name in modules}
    assert "forgesyte_sandbox" in tops
    assert not tops & {"av", "cv2", "numpy", "torch", "forgesyte_sdk", "forgesyte_motion_detector"}
