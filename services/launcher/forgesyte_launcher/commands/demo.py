"""`forgesyte demo`: analyses a generated clip end to end and compares the detections with the ground truth.

The clip is drawn in a process of its own: this process never imports av or numpy.
"""

import json
import subprocess
import sys
from pathlib import Path

from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.client.client import SubmitRequest
from forgesyte_launcher.client.results import make_out
from forgesyte_launcher.demo_clip import Score, compare, truth
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import table, warn

from .command_runs import ExitCode, show_error
from .run import RunOptions, run

PLUGIN, TOOL = "motion-detector", "detect-motion"
CLIP_LIMIT_S = 300

GOOD_SHARE = 0.9
"""The demo fails when recall or precision is below this."""


def run_demo(settings: LauncherSettings, out: Path, video: Path | None, *, permitted: tuple[str, ...] = ()) -> ExitCode:
    """Run detect-motion over `video`, or over a generated clip and compare the result with its ground truth.

    Args:
        settings: the launcher's.
        out: the folder for the clip and the results.
        video: the user's video; None generates a clip.
        permitted: plugins that may have what their manifests ask for.

    Returns:
        ExitCode.OK when the job completed and, for the generated clip, the detections match.
    """
    try:
        make_out(out)
    except ForgeSyteError as error:
        return show_error(error)
    if video is not None:
        return _run(settings, out, video, permitted)
    clip = out / "demo.mp4"
    if not _draw(clip):
        return ExitCode.FAILED
    ended = _run(settings, out, clip, permitted)
    if ended is not ExitCode.OK:
        return ended
    with (out / "rows.jsonl").open() as lines:
        score = compare(truth(), [json.loads(line) for line in lines])
    _show(score, clip)
    is_good = min(score.recall, score.precision) >= GOOD_SHARE
    if not is_good:
        warn(f"error: the detections do not match what was drawn; compare {clip} with {out / 'rows.jsonl'}.")
    return ExitCode.OK if is_good else ExitCode.FAILED


def _run(settings: LauncherSettings, out: Path, video: Path, permitted: tuple[str, ...]) -> ExitCode:
    return run(RunOptions(str(video), SubmitRequest(PLUGIN, (TOOL,)), out, permitted=permitted), settings)


def _draw(clip: Path) -> bool:
    command = (sys.executable, "-P", "-m", "forgesyte_launcher.demo_clip", str(clip))
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIP_LIMIT_S, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        warn(f"error: the demo clip could not be generated: {last}. `forgesyte doctor` shows what is missing.")
    return not done.returncode


def _show(score: Score, clip: Path) -> None:
    rows = [
        ("moving objects found", f"{score.matched} of {score.matched + score.missed} ({score.recall:.1%})"),
        ("correct detections", f"{score.precision:.1%} ({score.extra} where nothing moves)"),
        ("overlap of the boxes", f"{score.mean_iou:.1%} (mean intersection over union)"),
    ]
    table(rows=rows, title=f"compared with the ground truth of {clip}")
