"""Counts requests at the one place that all of them pass.

CountedRequests, the outermost layer, counts and times every request: also those that match no route, and those that
failed. CountedSubmit counts the submits that were refused, for whatever reason: the key, the query or the media.
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
        app: the application that answers.
        metrics: where requests are counted.
        clock: its monotonic time is used.
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
                status = CLIENT_GONE  # no answer can reach the client any more
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
    # The router puts the matched route into the scope, except for the framework's own routes, which have no parameters.
    return str(getattr(scope.get("route"), "path", scope["path"]))


class CountedSubmit(APIRoute):
    """A route whose requests become jobs.

    An error after note_accepted() says how a job ended for which the client waited; it is no refusal.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of this route, wrapped around its dependencies, its parameters and its function."""
        answer = super().get_route_handler()

        async def counted(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:  # only to count it: the exception handlers turn it into the answer
                if not getattr(request.state, _ACCEPTED, False):
                    request.app.state.job_api.metrics.refused(error)
                raise

        return counted


def note_accepted(request: Request) -> None:
    """Note that the request became a job."""
    setattr(request.state, _ACCEPTED, True)
