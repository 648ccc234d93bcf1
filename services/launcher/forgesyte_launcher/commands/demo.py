"""`forgesyte demo`: a video whose truth is known goes the whole way, and the answer is compared with the truth.

The clip is drawn in a process of its own: this one never imports av or numpy.
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
"""Recall and precision below this mean that something is wrong, and the demo fails."""


def run_demo(settings: LauncherSettings, out: Path, video: Path | None) -> ExitCode:
    """Run detect-motion over `video`, or over a drawn clip whose result is then compared with the truth.

    Args:
        settings: the launcher's.
        out: folder for the clip and the results.
        video: the user's own; None draws one.

    Returns:
        Exit.OK when the job completed and, for the drawn clip, what was found is what was there.
    """
    try:
        make_out(out)
    except ForgeSyteError as error:
        return show_error(error)
    if video is not None:
        return _run(settings, out, video)
    clip = out / "demo.mp4"
    if not _draw(clip):
        return ExitCode.FAILED
    ended = _run(settings, out, clip)
    if ended is not ExitCode.OK:
        return ended
    with (out / "rows.jsonl").open() as lines:
        score = compare(truth(), [json.loads(line) for line in lines])
    _show(score, clip)
    is_good = min(score.recall, score.precision) >= GOOD_SHARE
    if not is_good:
        warn(f"error: what was found is not what was drawn; compare {clip} with {out / 'rows.jsonl'}.")
    return ExitCode.OK if is_good else ExitCode.FAILED


def _run(settings: LauncherSettings, out: Path, video: Path) -> ExitCode:
    return run(RunOptions(SubmitRequest(video, PLUGIN, (TOOL,)), out), settings)


def _draw(clip: Path) -> bool:
    command = (sys.executable, "-P", "-m", "forgesyte_launcher.demo_clip", str(clip))
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIP_LIMIT_S, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        warn(f"error: the demo clip could not be drawn: {last}. `forgesyte doctor` shows what is missing.")
    return not done.returncode


def _show(score: Score, clip: Path) -> None:
    rows = [
        ("moving things found", f"{score.matched} of {score.matched + score.missed} ({score.recall:.1%})"),
        ("findings that are right", f"{score.precision:.1%} ({score.extra} where nothing moves)"),
        ("overlap of the boxes", f"{score.mean_iou:.1%} (mean intersection over union)"),
    ]
    table(rows=rows, title=f"compared with the truth of {clip}")
