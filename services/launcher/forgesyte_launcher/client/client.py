"""A client of ForgeSyte's HTTP routes, for `run`, `jobs` and `plugins`.

It keeps nothing but a connection pool. A problem document becomes the ForgeSyteError it was made from; a server that
cannot be reached becomes SERVICE_UNAVAILABLE with the remedy.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError

from .media import CHUNK_BYTES, Media

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_DRAWING_TIMEOUT = httpx.Timeout(3600.0, connect=5.0)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """What to run over media: the plugin, its tools, and the options for the server.

    `video_stream` is the index of the stream to analyse; None leaves the choice to the server.
    """

    plugin: str
    tools: Sequence[str]
    options: dict[str, Any] = field(default_factory=dict)
    video_stream: int | None = None


class ApiClient:
    """A server's routes. Every call raises ForgeSyteError: the server's own problem, or SERVICE_UNAVAILABLE."""

    def __init__(self, server: str, http: httpx.AsyncClient, *, api_key: str | None = None) -> None:
        self.server = server
        self.api_key = api_key
        self._http = http

    async def health(self) -> dict[str, Any]:
        """Read the server's health."""
        return await self._json("GET", "/health")

    async def plugins(self) -> list[Any]:
        """Read the health of every plugin, exactly as the server answers it: nothing is validated."""
        return await self._read("GET", "/v1/plugins", list)

    async def plugin_counts(self) -> dict[str, Any]:
        """Read the health of every plugin together with the server's counts."""
        return await self._json("GET", "/v1/plugins/")

    async def plugin(self, name: str, part: Literal["", "/health"] = "") -> dict[str, Any]:
        """Read everything about one plugin, or only its health."""
        return await self._json("GET", f"/v1/plugins/{quote(name, safe='')}{part}")

    async def reload_plugin(self, name: str) -> dict[str, Any]:
        """Ask every runner that has the plugin to reload it."""
        return await self._json("POST", f"/v1/plugins/{quote(name, safe='')}/reload")

    async def submit(self, job: SubmitRequest, media: Media, *, on_sent: Callable[[int], None] = lambda _: None) -> str:
        """Stream the media to the server and submit the job, to the image route if it is an image.

        Args:
            job: what to submit.
            media: over what; it is read to its end.
            on_sent: called with the number of bytes sent so far.

        Returns:
            The id of the job.
        """
        length = {} if media.size_bytes is None else {"Content-Length": str(media.size_bytes)}
        answer = await self._json(
            "POST",
            f"/v1/{media.kind}/submit",
            params=[
                ("plugin_id", job.plugin),
                *(("tool", tool) for tool in job.tools),
                ("options", json.dumps(job.options)),
                ("filename", media.name),
                *([] if job.video_stream is None else [("video_stream", str(job.video_stream))]),
            ],
            headers={"Content-Type": media.media_type, **length},
            content=_counted(media, on_sent),
        )
        return str(answer["job_id"])

    async def job(self, job_id: str) -> JobView:
        """Read a job's record."""
        return JobView.model_validate(await self._json("GET", f"/v1/jobs/{job_id}"))

    async def jobs(self, *, limit: int, status: JobStatus | None = None, plugin: str | None = None) -> list[JobView]:
        """Read the newest jobs, newest first: at most `limit` (1 to 100), in one state, of one plugin."""
        wanted = {"limit": limit, "status": status, "plugin": plugin}
        params = {name: value for name, value in wanted.items() if value is not None}
        answer = await self._json("GET", "/v1/jobs", params=params)
        return [JobView.model_validate(job) for job in answer["jobs"]]

    async def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job; the returned record has `stopping` true while the sandbox is still being killed."""
        return await self._json("POST", f"/v1/jobs/{job_id}/cancel")

    async def retry(self, job_id: str) -> str:
        """Submit the media of a job once more; return the id of the new job."""
        return str((await self._json("POST", f"/v1/jobs/{job_id}/retry"))["job_id"])

    async def save_result(self, job_id: str, result_format: str, file: Path) -> None:
        """Stream a result (`json`, `jsonl`, `csv` or `mp4`) into `file`, which appears only when it is complete."""
        part = file.with_name(f"{file.name}.part")
        path, query = f"/v1/jobs/{job_id}/result", {"format": result_format}
        try:
            with part.open("wb") as handle:
                # The first byte of an mp4 arrives when the whole video is drawn.
                async with self._answer("GET", path, params=query, timeout=_DRAWING_TIMEOUT) as answer:
                    async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                        await asyncio.to_thread(handle.write, chunk)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx types them
        return await self._read(method, path, dict, **request)

    async def _read[T](self, method: str, path: str, kind: type[T], **request: Any) -> T:  # noqa: ANN401 - as above
        async with self._answer(method, path, **request) as answer:
            body = await answer.aread()
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, kind):
            text = f"{self.server}{path} did not answer with the expected JSON ({kind.__name__})."
            raise ForgeSyteError(Code.INTERNAL, text)
        return document

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
                "or give the address of another one with --server.",
            ) from error


@asynccontextmanager
async def open_client(server: str, *, api_key: str | None = None) -> AsyncIterator[ApiClient]:
    """Open a client for `server` (scheme, host, port).

    Raises:
        ForgeSyteError: REQUEST_INVALID when `server` is not an http or https address.
    """
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"expected a server such as http://127.0.0.1:8000, found {server!r}")
    trust_env = not is_this_machine(base := server.rstrip("/"))
    headers = {"X-API-Key": api_key} if api_key else {}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=_TIMEOUT, trust_env=trust_env) as http:
        yield ApiClient(base, http, api_key=api_key)


def is_this_machine(server: str) -> bool:
    """Return whether the address is on loopback, where a proxy from the environment must not be used."""
    return urlsplit(server).hostname in _LOOPBACK


async def _counted(media: Media, on_sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    sent = 0
    async with aclosing(media.chunks()) as chunks:
        async for chunk in chunks:
            yield chunk
            sent += len(chunk)
            on_sent(sent)


def _problem(answer: httpx.Response, body: bytes) -> ForgeSyteError:
    """Turn a problem document back into its error; any other body becomes INTERNAL."""
    try:
        document = json.loads(body)
        code = Code(document["code"])
        detail = str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return ForgeSyteError(Code.INTERNAL, f"{answer.url} answered {answer.status_code} without a reason")
    hint = (
        " Pass it with --api-key KEY, or in the environment as FORGESYTE_API_KEY." if code is Code.KEY_MISSING else ""
    )
    return ForgeSyteError(code, detail + hint)
