"""A real browser that a test drives: Chromium without a window, over its DevTools protocol."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support import eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LIMIT_S = 120


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def go(self, url: str, *, is_policy_kept: bool = False) -> None:
        """Show an address, and wait until it is there.

        Args:
            url: the address.
            is_policy_kept: whether the page's Content-Security-Policy counts. Else a test may stand on an answer of
                the service itself, in which nothing could run.
        """
        await self.ask("Page.enable")
        await self.ask("Page.setBypassCSP", enabled=not is_policy_kept)
        await self.ask("Page.navigate", url=url)

        async def is_there() -> bool:
            return await self.run("document.readyState === 'complete' && location.href") == url

        await eventually(is_there, LIMIT_S, f"the browser shows {url}")

    async def run(self, script: str) -> Any:
        """Return the value of an expression in the page; a promise is awaited."""
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(LIMIT_S):
            while (message := json.loads(await self._socket.recv())).get("id") != number:
                pass  # an event
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result


@asynccontextmanager
async def open_page(folder: Path, *options: str) -> AsyncIterator[Page]:
    """Run a browser of its own, with a profile in `folder`, and open a tab; nothing of it stays."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}", *options, "about:blank",
    ]  # fmt: skip
    folder.mkdir()
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=os.environ)
    try:
        address = await eventually(lambda: _address(folder), LIMIT_S, "Chromium opens its DevTools")
        async with connect(address, proxy=None, max_size=None, ping_interval=None) as browser:
            targets = await Page(browser).ask("Target.getTargets")
        (tab,) = [one["targetId"] for one in targets["targetInfos"] if one["type"] == "page"]
        tab_address = f"{address.partition('/devtools')[0]}/devtools/page/{tab}"
        async with connect(tab_address, proxy=None, max_size=None, ping_interval=None) as socket:
            yield Page(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _address(folder: Path) -> str | None:
    file = folder / "profile" / "DevToolsActivePort"
    lines = file.read_text().splitlines() if file.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None
