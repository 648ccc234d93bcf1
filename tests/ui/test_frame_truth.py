"""Frame truth: whatever the page draws, the boxes are those of the very frame that is in the picture.

Each file carries the number of each frame in its pixels. The plugin reads it in the sandbox and names its box for it;
here it is read once more from the canvas, in the task that drew the picture. A box on another frame than its own shows
as two different numbers. `make frame-truth` does it with longer files; the counts are printed.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.support import Stack, eventually, running_stack

from .chromium import CHROMIUM, Page, open_page
from .truth_files import FILES, TruthFile

HERE = Path(__file__).parent
BUILT_PAGE = HERE.parents[1] / "web-ui" / "dist" / "index.html"
FRAMES = int(os.environ.get("FORGESYTE_TRUTH_FRAMES", "75"))
STEPS = SEEKS = int(os.environ.get("FORGESYTE_TRUTH_SEEKS", "40"))
LIMIT_S = 120
MOST_FRAMES = 255 - max(file.cut for file in FILES)
assert FRAMES <= MOST_FRAMES, f"a number has 8 bits: set FORGESYTE_TRUTH_FRAMES to at most {MOST_FRAMES}"
LEAST_DRAWN = 0.95

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (Debian: apt-get install chromium)"),
    pytest.mark.skipif(not BUILT_PAGE.exists(), reason="the page is not built: make page"),
    pytest.mark.skipif(
        shutil.which("ffmpeg") is None, reason="no ffmpeg is installed (Debian: apt-get install ffmpeg)"
    ),
]


@dataclass(slots=True)
class Counts:
    """What was seen of one file."""

    pictures: int = 0
    true: int = 0
    announced: int = 0
    drawn: int = 0


class Viewer:
    """The page of one job, used by its keys and controls as a person would."""

    def __init__(self, page: Page, file: TruthFile) -> None:
        self.page = page
        self.file = file
        self.counts = Counts()
        self.wrong: list[dict] = []

    async def open(self, url: str) -> None:
        await self.page.go(url)
        await self.until(
            "document.querySelector('canvas[data-frame-index=\"0\"]') !== null", "the first frame is shown"
        )

    async def until(self, expression: str, what: str) -> None:
        async def holds() -> bool:
            return bool(await self.page.run(expression))

        await eventually(holds, LIMIT_S, f"{what} ({self.file.name})")

    async def key(self, key: str) -> None:
        await self.page.run(
            f"void document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        )

    async def shows(self, frame: int) -> None:
        await self.until(
            f"document.querySelector('canvas[data-frame-index=\"{frame}\"]') !== null", f"frame {frame} is shown"
        )

    async def play(self, speed: str) -> None:
        await self.key("Home")
        await self.shows(0)
        await self.page.run(f"""(() => {{
          const speed = document.querySelector('select[aria-label=Speed]');
          speed.value = '{speed}';
          speed.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})()""")
        await self.taken()
        await self.key(" ")
        # A busy browser leaves out pictures, the last one too.
        await self.until("document.querySelector('video').ended", "it plays to the end")

    async def seek(self, frame: int) -> None:
        await self.page.run("""(() => {
          const field = document.querySelector('input[aria-label="Go to frame"]');
          field.focus();
          field.select();
        })()""")
        await self.page.ask("Input.insertText", text=str(frame))
        for kind in ("rawKeyDown", "keyUp"):
            await self.page.ask("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13)
        await self.shows(frame)

    async def taken(self) -> tuple[int, int]:
        """Judge the pictures drawn since the last call; return how many were announced and drawn with their box."""
        seen = await self.page.run(
            "(() => { const seen = {...truth}; truth.pictures = []; truth.announced = 0; return seen; })()"
        )
        offset = self.file.cut
        for each in seen["pictures"]:
            is_true = each["frame"] is not None and each["number"] == each["label"] == each["frame"] + offset
            self.counts.pictures += 1
            self.counts.true += is_true
            if not is_true:
                self.wrong.append(each)
        return seen["announced"], sum(each["label"] is not None for each in seen["pictures"])


@pytest.fixture(scope="module")
def counted(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, Counts]]:
    """The counts of every file, printed at the end."""
    counts: dict[str, Counts] = {}
    yield counts
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line("")
    for name, of in counts.items():
        reporter.write_line(
            f"frame truth: {name}: {of.true} of {of.pictures} pictures true; at 1x {of.drawn} of {of.announced} drawn"
        )
    true, pictures = sum(of.true for of in counts.values()), sum(of.pictures for of in counts.values())
    reporter.write_line(f"frame truth: {true} of {pictures} pictures true in all")


@asynccontextmanager
async def watched(stack: Stack, folder: Path, file: TruthFile) -> AsyncIterator[Viewer]:
    """Analyse the file, and open the page of its job."""
    job_id = await stack.submit(file.make(folder, FRAMES), "read-mark", "frame-marks")
    record = await stack.ended(job_id)
    assert record["status"] == "completed", record
    assert record["summary"]["frame_count"] == FRAMES
    async with open_page(folder / "browser", "--autoplay-policy=no-user-gesture-required") as page:
        await page.ask("Page.enable")
        await page.ask("Page.addScriptToEvaluateOnNewDocument", source=(HERE / "truth_probe.js").read_text())
        viewer = Viewer(page, file)
        await viewer.open(f"{stack.url}/jobs/{job_id}")
        yield viewer


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_every_picture_that_is_drawn_has_the_boxes_of_its_own_frame(file, tmp_path, counted):
    (tmp_path / "clips").mkdir()
    random = Random(file.name)
    async with (
        running_stack(tmp_path / "data", env={"PYTHONPATH": str(HERE / "plugins")}) as stack,
        watched(stack, tmp_path / "clips", file) as viewer,
    ):
        counts = counted[file.name] = viewer.counts
        await viewer.play("1")
        counts.announced, counts.drawn = await viewer.taken()
        await viewer.play("4")
        await viewer.key("Home")
        await viewer.shows(0)
        for frame in range(1, min(STEPS, FRAMES - 1) + 1):
            await viewer.key(".")
            await viewer.shows(frame)
        for frame in range(min(STEPS, FRAMES - 1) - 1, -1, -1):
            await viewer.key(",")
            await viewer.shows(frame)
        for _ in range(SEEKS):
            await viewer.seek(random.randrange(FRAMES))
        await viewer.taken()
        text = await viewer.page.run("document.body.innerText")
        assert ("converted copy" in text) is file.is_copied

    assert viewer.wrong == []
    assert counts.pictures >= 2 * STEPS + SEEKS // 2
    assert counts.drawn >= LEAST_DRAWN * counts.announced
