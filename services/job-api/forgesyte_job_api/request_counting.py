"""Counts requests where all of them pass.

CountedRequests counts and times every request, outside of everything else: also those that no route takes, and those
that broke. CountedSubmit counts the submits that became no job, whoever refused them: the key, the query or the media.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forgesyte_chassis.clock import Clock

from .metrics import CLIENT_GONE, ApiMetrics

_ACCEPTED = "is_accepted"


class CountedRequests:
    """ASGI middleware; a request is counted when it has ended.

    Args:
        app: what answers.
        metrics: where it is counted.
        clock: by whose monotonic time it is timed.
    """

    def __init__(self, app: ASGIApp, *, metrics: ApiMetrics, clock: Clock) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock.monotonic_s()
        status: int | None = None

        async def receive_noting() -> Message:
            nonlocal status
            message = await receive()
            if message["type"] == "http.disconnect" and status is None:
                status = CLIENT_GONE  # whatever is answered from now on, nobody reads it
            return message

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start" and status is None:
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive_noting, send_noting)
        finally:
            elapsed_s = self._clock.monotonic_s() - began_s
            self._metrics.answered(_template(scope), scope["method"], status or CLIENT_GONE, elapsed_s)


def _template(scope: Scope) -> str:
    # The router leaves the route it chose in the scope, but not for the framework's own, which have no parameters.
    return str(getattr(scope.get("route"), "path", scope["path"]))


class CountedSubmit(APIRoute):
    """A route whose requests become jobs.

    An error that comes after note_accepted() is how a job ended for which the client waited, and no refusal.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give FastAPI what answers a request of this route: around its dependencies, its parameters, its function."""
        answer = super().get_route_handler()

        async def counted(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:  # only to count it: what the border above makes of it is told to the client
                if not getattr(request.state, _ACCEPTED, False):
                    request.app.state.job_api.metrics.refused(error)
                raise

        return counted


def note_accepted(request: Request) -> None:
    """Note that the request became a job."""
    setattr(request.state, _ACCEPTED, True)
