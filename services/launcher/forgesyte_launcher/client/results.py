"""The files a job's results are written to, and what happens when one of them can not be had."""

from pathlib import Path

from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.terminal.output import warn
from forgesyte_launcher.terminal.progress import ProgressView

from .client import ApiClient

DOCUMENT, ROWS, ANNOTATED = "result.json", "rows.jsonl", "annotated.mp4"
FILES = (DOCUMENT, ROWS, ANNOTATED)


def make_out(out: Path) -> None:
    """Make the folder for results.

    Raises:
        ForgeSyteError: REQUEST_INVALID when it can not be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"results can not be written to {out}: {error.strerror}. Choose another folder with --out."
        raise ForgeSyteError(Code.REQUEST_INVALID, text) from error


async def save_results(client: ApiClient, job: JobView, out: Path, view: ProgressView, *, is_drawn: bool) -> None:
    """Write an ended job's files into `out`; what an earlier job left there under these names is removed first.

    A failed or cancelled job has the rows so far, or nothing at all. The annotated video is an extra: when it can not
    be drawn, a warning says why and the rest stands.

    Args:
        client: of the server that ran it.
        job: as it ended.
        out: an existing folder.
        view: shows that the server draws, which takes about as long as decoding and encoding the video.
        is_drawn: whether the annotated video is wanted; an image has none.

    Raises:
        ForgeSyteError: a completed job's rows can not be read.
    """
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    is_completed = job.status is JobStatus.COMPLETED
    try:
        await client.save_result(job.job_id, "json", out / DOCUMENT)
        await client.save_result(job.job_id, "jsonl", out / ROWS)
    except ForgeSyteError:
        if is_completed:
            raise
    if is_completed and is_drawn and job.job_type.kind == "video":
        view.say(f"drawing {ANNOTATED}")
        try:
            await client.save_result(job.job_id, "mp4", out / ANNOTATED)
        except ForgeSyteError as error:
            warn(f"warning: {ANNOTATED} is missing: {error.detail}")
