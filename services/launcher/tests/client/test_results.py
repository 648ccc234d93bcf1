from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from forgesyte_chassis.web import problems
from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus, JobType
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.client.client import ApiClient
from forgesyte_launcher.client.results import save_results

from ..builders import an_ended_job


class KeptLines(list):
    """A progress view that keeps the lines it is given."""

    def say(self, text: str) -> None:
        self.append(text)

    def sent(self, name: str, total_bytes: int, sent_bytes: int) -> None:
        raise AssertionError("nothing is uploaded here")

    def show(self, job: JobView) -> None:
        raise AssertionError("an ended job is not shown again")


@asynccontextmanager
async def a_server(*refused: str):
    """A client of a server that answers each format with its name, except the refused formats."""

    async def result(request: Request) -> Response:
        wanted = request.query_params["format"]
        if wanted in refused:
            raise ForgeSyteError(Code.REQUEST_INVALID, f"{wanted} is not available.")
        return PlainTextResponse(wanted)

    app = Starlette(routes=[Route("/v1/jobs/{job_id}/result", result)])
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as http:
        yield ApiClient("http://server", http)


async def saved(client: ApiClient, job: JobView, out, *, is_drawn: bool = True) -> tuple[dict[str, str], list[str]]:
    view = KeptLines()
    await save_results(client, job, out, view, is_drawn=is_drawn)
    return {file.name: file.read_text() for file in out.iterdir()}, view


async def test_a_video_gets_its_three_files_and_drawing_is_announced(tmp_path):
    async with a_server() as client:
        files, lines = await saved(client, an_ended_job(), tmp_path)

    assert files == {"result.json": "json", "rows.jsonl": "jsonl", "annotated.mp4": "mp4"}
    assert lines == ["drawing annotated.mp4"]


@pytest.mark.parametrize("job_type", [JobType.IMAGE, JobType.IMAGE_MULTI])
async def test_an_image_has_no_annotated_video(tmp_path, job_type):
    async with a_server() as client:
        files, lines = await saved(client, an_ended_job(job_type=job_type), tmp_path)

    assert (set(files), lines) == ({"result.json", "rows.jsonl"}, [])


async def test_nothing_is_drawn_when_it_is_switched_off(tmp_path):
    async with a_server() as client:
        files, lines = await saved(client, an_ended_job(), tmp_path, is_drawn=False)

    assert (set(files), lines) == ({"result.json", "rows.jsonl"}, [])


async def test_a_video_that_cannot_be_drawn_is_a_warning_and_the_other_files_are_kept(tmp_path, capsys):
    async with a_server("mp4") as client:
        files, _ = await saved(client, an_ended_job(), tmp_path)

    assert set(files) == {"result.json", "rows.jsonl"}
    assert "warning: annotated.mp4 is missing: mp4 is not available." in capsys.readouterr().err


async def test_unreadable_rows_of_a_completed_job_are_an_error(tmp_path):
    async with a_server("jsonl") as client:
        with pytest.raises(ForgeSyteError, match="jsonl is not available"):
            await saved(client, an_ended_job(), tmp_path)


async def test_a_failed_job_leaves_no_files_of_an_earlier_job(tmp_path):
    for name in ("result.json", "rows.jsonl", "annotated.mp4", "notes.txt"):
        (tmp_path / name).write_text("earlier")

    async with a_server("json", "jsonl", "mp4") as client:
        files, _ = await saved(client, an_ended_job(JobStatus.FAILED), tmp_path)

    assert files == {"notes.txt": "earlier"}


@pytest.mark.parametrize(
    ("status", "name"),
    [(JobStatus.COMPLETED, "result.json"), (JobStatus.COMPLETED, "annotated.mp4"), (JobStatus.FAILED, "rows.jsonl")],
)
async def test_a_full_disk_is_said_in_a_sentence_and_leaves_no_half_a_file(tmp_path, status, name):
    (tmp_path / f"{name}.part").symlink_to("/dev/full")

    async with a_server() as client:
        with pytest.raises(ForgeSyteError, match=r"results cannot be written to .*: No space left on device") as caught:
            await saved(client, an_ended_job(status), tmp_path)

    assert caught.value.code is Code.STORAGE_FULL
    assert not list(tmp_path.glob(f"{name}*"))


async def test_a_folder_in_the_place_of_a_result_is_said_in_a_sentence(tmp_path):
    (tmp_path / "rows.jsonl").mkdir()

    async with a_server() as client:
        with pytest.raises(ForgeSyteError, match=r"results cannot be written to .*: Is a directory.*--out"):
            await saved(client, an_ended_job(), tmp_path)
