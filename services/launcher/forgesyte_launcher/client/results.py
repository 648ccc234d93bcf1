"""Writes a job's results to files, and decides what happens when a result is not available."""

import errno
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
        ForgeSyteError: REQUEST_INVALID when it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


async def save_results(client: ApiClient, job: JobView, out: Path, view: ProgressView, *, is_drawn: bool) -> None:
    """Write an ended job's files into `out`, after removing those of an earlier job.

    A failed or cancelled job has the rows it made, or none. The annotated video is an extra: when it cannot be drawn,
    a warning says why and the other files are kept.

    Args:
        client: a client of the server that ran the job.
        job: the ended job.
        out: an existing folder.
        view: shows that the server draws the video, which takes about as long as decoding and encoding it.
        is_drawn: whether to write the annotated video; an image has none.

    Raises:
        ForgeSyteError: the rows of a completed job cannot be read, or `out` does not take the files.
    """
    try:
        await _save_files(client, job, out, view, is_drawn=is_drawn)
    except OSError as error:
        raise _unwritable(out, error) from error


async def _save_files(client: ApiClient, job: JobView, out: Path, view: ProgressView, *, is_drawn: bool) -> None:
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


def _unwritable(out: Path, error: OSError) -> ForgeSyteError:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    text = f"results cannot be written to {out}: {error.strerror}. Choose another folder with --out."
    return ForgeSyteError(Code.STORAGE_FULL if is_full else Code.REQUEST_INVALID, text)
