"""ForgeSyte's HTTP routes as a client sees them: what `run` and `jobs` use, over any server.

Nothing is kept but a connection pool. A problem document becomes the same ForgeSyteError it was made from; a server
that cannot be reached becomes SERVICE_UNAVAILABLE with the remedy.
"""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from forgesyte_contracts.jobs import JobView
from forgesyte_contracts.problems import Code, ForgeSyteError

CHUNK_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Submission:
    """One job to be: the video's path, the plugin, its tools, and the options as the server takes them."""

    video: Path
    plugin: str
    tools: Sequence[str]
    options: dict[str, Any] = field(default_factory=dict)


class Client:
    """A server's routes. Every call raises ForgeSyteError: the server's own problem, or SERVICE_UNAVAILABLE."""

    def __init__(self, server: str, http: httpx.AsyncClient) -> None:
        self.server = server
        self._http = http

    async def health(self) -> dict[str, Any]:
        """Read what the server says about itself."""
        return await self._json("GET", "/health")

    async def submit(self, job: Submission, *, on_sent: Callable[[int], None] = lambda _: None) -> str:
        """Upload the video as it is read and submit the job.

        Args:
            job: what to do.
            on_sent: told how many bytes have been read so far.

        Returns:
            The id of the job.
        """
        size_bytes = job.video.stat().st_size
        answer = await self._json(
            "POST",
            "/v1/video/submit",
            params=[
                ("plugin_id", job.plugin),
                *(("tool", tool) for tool in job.tools),
                ("options", json.dumps(job.options)),
                ("filename", job.video.name),
            ],
            headers={
                "Content-Type": _media_type(job.video),
                "Content-Length": str(size_bytes),
            },
            content=_chunks(job.video, on_sent),
        )
        return str(answer["job_id"])

    async def job(self, job_id: str) -> JobView:
        """Read a job's record."""
        return JobView.model_validate(await self._json("GET", f"/v1/jobs/{job_id}"))

    async def jobs(self, *, limit: int) -> list[JobView]:
        """Read the newest jobs, newest first; `limit` is 1 to 100."""
        answer = await self._json("GET", "/v1/jobs", params={"limit": limit})
        return [JobView.model_validate(job) for job in answer["jobs"]]

    async def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job; the record comes back with `stopping` true while its sandbox still dies."""
        return await self._json("POST", f"/v1/jobs/{job_id}/cancel")

    async def save_result(self, job_id: str, result_format: str, file: Path) -> None:
        """Stream a result (`json` or `jsonl`) into `file`, which appears only when it is whole."""
        part = file.with_name(f"{file.name}.part")
        try:
            with part.open("wb") as handle:
                async with self._answer("GET", f"/v1/jobs/{job_id}/result", params={"format": result_format}) as answer:
                    async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                        await asyncio.to_thread(handle.write, chunk)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx types them
        async with self._answer(method, path, **request) as answer:
            found = json.loads(await answer.aread())
        if not isinstance(found, dict):
            raise ForgeSyteError(Code.INTERNAL, f"{self.server}{path} answered with something else than an object")
        return found

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:  # noqa: ANN401 - as above
        try:
            async with self._http.stream(method, path, **request) as answer:
                if not answer.is_success:
                    raise _problem(answer, await answer.aread())
                yield answer
        except httpx.HTTPError as error:
            raise ForgeSyteError(
                Code.SERVICE_UNAVAILABLE,
                f"no answer from {self.server} ({type(error).__name__}). Start a server with `forgesyte up`, "
                "or name another one with --server.",
            ) from error


@asynccontextmanager
async def open_client(server: str, *, api_key: str | None = None) -> AsyncIterator[Client]:
    """Open a client for `server` (scheme, host, port).

    Raises:
        ForgeSyteError: REQUEST_INVALID when `server` is not an http or https address.
    """
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"expected a server such as http://127.0.0.1:8000, found {server!r}")
    # A proxy from the environment is for the world outside, never for this machine.
    trust_env = parts.hostname not in _LOOPBACK
    headers = {"X-API-Key": api_key} if api_key else {}
    base = server.rstrip("/")
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=_TIMEOUT, trust_env=trust_env) as http:
        yield Client(base, http)


def _media_type(video: Path) -> str:
    guessed = mimetypes.guess_type(video.name)[0]
    return guessed if guessed and guessed.startswith("video/") else "application/octet-stream"


async def _chunks(file: Path, on_sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    sent = 0
    with file.open("rb") as handle:
        while chunk := await asyncio.to_thread(handle.read, CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            on_sent(sent)


def _problem(answer: httpx.Response, body: bytes) -> ForgeSyteError:
    """Turn a problem document back into its error; what is no problem document becomes INTERNAL."""
    try:
        document = json.loads(body)
        code = Code(document["code"])
        detail = str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return ForgeSyteError(Code.INTERNAL, f"{answer.url} answered {answer.status_code} without saying why")
    return ForgeSyteError(code, detail)
