"""Fixtures of the sandbox's tests: a real zygote, made clips, and one call that runs a job and keeps its messages."""

import inspect
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
import pytest_asyncio

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.specs import JobSpec, ManifestSpec
from tests.support import make_clip
from tests.support.left_behind import left_in

PLUGINS = Path(__file__).parent / "plugins"
LIMITS = Limits(
    frame_timeout_s=60, load_timeout_s=60, finalize_timeout_s=60, memory_bytes=256 * MIB, load_memory_bytes=512 * MIB
)


@dataclass
class Told:
    """How a run ended, and the messages it sent before."""

    outcome: SandboxOutcome | None = None
    said: list = field(default_factory=list)
    pid: int = 0

    @property
    def rows(self):
        return [orjson.loads(message.data) for message in self.of(messages.Row)]

    def of(self, kind):
        return [message for message in self.said if isinstance(message, kind)]


class Bench:
    """Runs programs in one zygote; what a job leaves in its scratch folder is copied to the folder it is given."""

    def __init__(self, zygote: Zygote, folder: Path, clip: Path):
        self.zygote, self.folder, self.clip = zygote, folder, clip
        self.runs = 0

    def told(self):
        return Told()

    @property
    def homes(self):
        """Where everything that the zygote's sandboxes start begins."""
        return self.zygote.homes.root

    def left(self):
        """Return a folder for what a job leaves."""
        self.runs += 1
        folder = self.folder / f"left-{self.runs}"
        folder.mkdir()
        return folder

    async def job(
        self, plugin="Good", tools=("measure",), *, told=None, limits=LIMITS, cancel=None, on_message=None, **spec
    ):
        told = told or Told()
        left = spec.pop("left", None) or self.left()
        order = JobSpec(**{
            "entry_point": f"sandbox_plugins:{plugin}", "tools": list(tools), "input": str(self.clip),
            "job_id": "job-1", **spec,
        })  # fmt: skip

        def started(pid):
            told.pid = pid

        with left_in(left):
            told.outcome = await self.zygote.run(
                Order(
                    order,
                    limits=limits,
                    on_message=on_message or told.said.append,
                    on_started=started,
                    cancel=cancel,
                )
            )
        return told

    async def fault(self, fault, *, at=2, told=None, limits=LIMITS, cancel=None, left=None, **changes):
        """Run the misbehaving plugin; `changes` are limits."""
        options = {"misbehave": {"fault": fault, "at": at}}
        return await self.job(
            "Faulty", ("misbehave",), told=told, limits=replace(limits, **changes), cancel=cancel, options=options,
            left=left,
        )  # fmt: skip

    async def manifest(self, entry_point, **changes):
        return await self.zygote.run(Order(ManifestSpec(entry_point), limits=replace(LIMITS, **changes)))


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clips") / "plain.mp4", frames=12)


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "plain.png"
    cv2.imwrite(str(path), np.full((24, 32, 3), 99, np.uint8))
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def zygote():
    """One for all tests, as a service has one for all runs; replaced when a test kills it."""
    async with Zygote.start(env={"PYTHONPATH": str(PLUGINS)}) as zygote:
        yield zygote


@pytest.fixture
def bench(zygote, tmp_path, clip):
    return Bench(zygote, tmp_path, clip)


def pytest_collection_modifyitems(items):
    """Run this member's async tests on the loop that the zygote lives on."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
def survivors():
    """Return the processes that are still alive in a folder: everything a sandbox starts begins in its home.

    A process without memory is dead: the kernel frees the memory a moment before the folder.
    """

    def find(folder: Path):
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    where = (entry / "cwd").readlink()
                    has_memory = int((entry / "statm").read_text().split()[0]) > 0
                except OSError:
                    continue
                if has_memory and where.is_relative_to(folder):
                    found.append(int(entry.name))
        return found

    return find
