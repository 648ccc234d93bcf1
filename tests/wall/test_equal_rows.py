"""What plugins ordinarily use gives the same rows behind the wall as without it, byte for byte.

The helpers end by their own signals there (terminate, kill, abort, raise), which is part of their rows. The libraries
are threads, NumPy, OpenCV, PyAV, temporary files, a database; motion-detector, torch and onnxruntime are themselves.
"""

from importlib.util import find_spec

import orjson
import pytest

from tests.escapes.running import Half
from tests.wall.clips import FRAMES
from tests.wall.conftest import RUNS, SHARED_MODEL, SHORT, Run, Tables
from tests.wall.jobs import TOOLS

NEEDED = {"nanodet": ("onnxruntime", "models"), "torch-net": ("torch", "torch")}
"""What a plugin imports, and the group of packages that holds it."""

CASES = [
    pytest.param(run, configuration, plugin, id=f"{plugin}-as-{run.user}-at-{configuration}")
    for plugin in TOOLS
    for run in RUNS
    for configuration in run.configurations
]


@pytest.mark.parametrize("plugin", ["motion-detector", "libraries", "helpers"])
def test_rows_are_the_same_behind_the_wall(default_half: Half, plugin):
    assert default_half.tables, default_half.cannot

    assert_equal(default_half, "own", plugin, frames=SHORT)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("run", "configuration", "plugin"), CASES)
def test_rows_are_the_same_at_every_height_of_the_wall(tables: Tables, run: Run, configuration, plugin):
    skip_without_what_it_needs(plugin)
    half = tables(run, plugin)
    if not half.tables:
        pytest.skip(half.cannot)

    assert_equal(half, configuration, plugin, frames=FRAMES)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_detector_finds_cars_behind_the_wall(tables: Tables):
    skip_without_what_it_needs("nanodet")
    run = next(run for run in RUNS if tables(run, "nanodet").tables)

    told = tables(run, "nanodet").tables[run.configurations[0]]["plugins"]["nanodet"]

    rows = map(orjson.loads, told["rows"])
    assert "car" in {box["class"] for row in rows for box in row["detections"]["detections"]}


def assert_equal(half: Half, configuration: str, plugin: str, *, frames: int) -> None:
    """Both jobs reached their end, with a row for each frame, and the rows are the same."""
    walled, free = (half.tables[each]["plugins"][plugin] for each in (configuration, "off"))
    assert (walled["ended"], free["ended"]) == ("succeeded", "succeeded"), walled["log"] or free["log"]
    assert len(free["rows"]) == frames
    assert walled["rows"] == free["rows"]
    policy = half.tables[configuration]["policy"]
    assert policy["seccomp"]
    assert configuration == "own" or policy["landlock_abi"] <= int(configuration)


def skip_without_what_it_needs(plugin: str) -> None:
    """Skip where the package, or the model, is not there."""
    package, group = NEEDED.get(plugin, ("", ""))
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed (.ci/setup {group})")
    if plugin == "nanodet" and not SHARED_MODEL.exists():
        pytest.skip("the model is not beside this checkout (../shared/models)")
