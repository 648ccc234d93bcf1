"""Asks a running product for the health of its plugins, many times a second, and has each answer judged."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any

import httpx

from tests.support import SHORT_KEEPING

ALL_EVERY = 50
"""One question in so many is the one for all plugins at once."""


@dataclass
class HealthQuestions:
    """What is asked, and what was seen.

    Attributes:
        url: of the product.
        draw: which plugin is asked for next.
        names: of the plugins, each as often as it is to be drawn; also some that are unknown.
        unknown: which of them have no plugin.
        installed: the names that the list of all must have.
        judge: given one plugin's health and when it was asked for, returns what is wrong with it.
        wrong: everything that was wrong.
        codes: the answers by their status.
        slowest_s: the time that the slowest answer took.
    """

    url: str
    draw: Random
    names: list[str]
    unknown: Collection[str]
    installed: set[str]
    judge: Callable[[dict[str, Any], float], list[str]]
    wrong: list[str] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0

    @property
    def summary(self) -> str:
        """How it went, for people."""
        return f"health asked {self.codes.total()} times: {dict(self.codes)}, slowest {self.slowest_s:.2f} s"

    async def ask_until(self, until_s: float, *, per_s: int) -> None:
        """Ask as often as that makes, whether the answer before has come or not; what falls behind is asked at once."""
        begun_s = monotonic()
        room = asyncio.Semaphore(per_s)
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, limits=SHORT_KEEPING) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(int((until_s - begun_s) * per_s)):
                await asyncio.sleep(begun_s + number / per_s - monotonic())
                await room.acquire()
                name = self.draw.choice(self.names) if number % ALL_EVERY else None
                group.create_task(self._ask(http, name)).add_done_callback(lambda _: room.release())

    async def _ask(self, http: httpx.AsyncClient, name: str | None) -> None:
        asked_s = monotonic()
        try:
            answer = await http.get("/v1/plugins" if name is None else f"/v1/plugins/{name}/health")
        except httpx.TransportError as error:
            self.wrong.append(f"health of {name}: no answer, {reasons_of(error)}")
            return
        self.slowest_s = max(self.slowest_s, monotonic() - asked_s)
        self.codes[answer.status_code] += 1
        if answer.status_code != (404 if name in self.unknown else 200):
            self.wrong.append(f"health of {name}: {answer.status_code} {answer.text[:200]}")
        elif answer.status_code == 200:
            shown = answer.json() if name is None else [answer.json()]
            for health in shown:
                self.wrong += self.judge(health, asked_s)
            if name is None and {health["name"] for health in shown} != self.installed:
                self.wrong.append(f"the list is not whole: {[health['name'] for health in shown]}")


def reasons_of(error: BaseException | None) -> str:
    """What the client said and what lay behind it, which httpx does not show."""
    found = []
    while error is not None:
        found.append(repr(error))
        error = error.__cause__ or error.__context__
    return " <- ".join(found)
