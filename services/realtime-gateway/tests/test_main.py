"""The gateway as a process of its own."""

import asyncio
import json
import os
import re
import signal
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support import eventually, nats_server


async def test_the_process_serves_counts_and_stops_with_1000_and_exit_code_0(tmp_path):
    log = tmp_path / "log"
    async with nats_server() as server:
        settings = {"BUS_URL": server.url, "PORT": "0", "OPS_PORT": "0", "LOG_FORMAT": "json"}
        env = {**os.environ, **{f"FORGESYTE_GATEWAY_{name}": value for name, value in settings.items()}}
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "forgesyte_realtime_gateway", stderr=out, stdout=out, env=env
            )
        try:
            ready = await eventually(
                lambda: process.returncode is None and re.search(r"service ready", log.read_text()),
                what="the ready line",
            )
            assert ready
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            (port,) = [line["port"] for line in lines if line["event"] == "service ready"]
            async with connect(
                f"ws://127.0.0.1:{port}/v1/realtime?api_key=hush", proxy=None, open_timeout=60
            ) as socket:
                await socket.send('{"type": "ping"}')
                assert json.loads(await socket.recv())["type"] == "pong"

                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(60):
                    try:
                        await socket.recv()
                    except ConnectionClosed as closed:
                        assert closed.rcvd is not None
                        assert closed.rcvd.code == 1000
            async with asyncio.timeout(60):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert "hush" not in log.read_text()
