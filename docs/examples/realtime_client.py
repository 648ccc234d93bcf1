"""Follow a job until it ends, across reconnects: python realtime_client.py http://127.0.0.1:8000 JOB_ID"""
# ruff: noqa: INP001  (an example on a page, not a package)

import asyncio
import json
import sys
from collections.abc import Callable

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


async def watch(server: str, job_id: str, say: Callable[[str], object], **headers: str) -> str:
    """Call `say` once per message and return the ending's status. Retries after 1, 2, 4, 8 and 16 s."""
    seq, tries, warnings = 0, 0, 0
    while True:
        address = f"ws{server.removeprefix('http')}/v1/realtime?job_id={job_id}&since={seq}"
        try:
            async with connect(address, additional_headers=headers, max_size=None) as socket:
                async for text in socket:
                    message = json.loads(text)
                    kind, payload = message["type"], message["payload"]
                    seq, tries = message.get("seq", seq), 0
                    if kind == "ping":
                        await socket.send('{"type": "pong"}')
                    elif kind != "warning" or payload["index"] >= warnings:  # a reconnect repeats them
                        warnings = payload.get("index", warnings - 1) + 1
                        say(text)
                    if kind == "progress" and payload["status"] != "running":
                        return payload["status"]
        except (OSError, WebSocketException) as broken:
            rcvd = getattr(broken, "rcvd", None)  # the server's close frame; with these codes a retry is no use
            if tries == 5 or (rcvd and rcvd.code in (1008, 4000, 4001)):
                raise
        await asyncio.sleep(2**tries)
        tries += 1


if __name__ == "__main__":
    sys.exit(asyncio.run(watch(sys.argv[1], sys.argv[2], print)) != "completed")
