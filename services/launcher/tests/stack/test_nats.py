import asyncio
import os
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.ids import new_job_id
from forgesyte_launcher.stack import nats
from forgesyte_launcher.stack.data_folder import open_folder
from forgesyte_launcher.stack.nats import REPAIR_EVERY_S, repair_nats, running_nats
from tests.support import alive, eventually
from tests.support.small_disk import small_disk

OWNER = """
import asyncio, sys
from pathlib import Path
from forgesyte_chassis import logs
from forgesyte_launcher.stack.data_folder import open_folder
from forgesyte_launcher.stack.nats import running_nats

async def main():
    async with asyncio.TaskGroup() as group, open_folder(Path(sys.argv[1])) as folder:
        async with running_nats(folder, group) as (_, child):
            print(child.pid, flush=True)
            await asyncio.sleep(600)

logs.configure()
asyncio.run(main())
"""


async def test_a_killed_server_comes_back_on_the_same_port_with_its_data(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, child),
        Bus.connect(address.url, name="test", token=address.token) as bus,
    ):
        await bus.ensure()
        job_id = new_job_id()
        await bus.work.publish(job_id, "motion-detector", "cpu")

        os.kill(child.pid, signal.SIGKILL)

        await eventually(lambda: bus.reconnects and bus.is_connected, what="the client found it again")
        assert child.starts == 2
        assert await bus.work.has(job_id, "motion-detector", "cpu")


async def test_a_stopped_server_is_replaced_on_the_same_port(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, child),
        Bus.connect(address.url, name="test", token=address.token) as bus,
    ):
        os.kill(child.pid, signal.SIGSTOP)

        await eventually(lambda: bus.reconnects and bus.is_connected, what="the client found the next life")
        assert child.starts == 2


async def test_a_ports_file_of_an_earlier_run_is_ignored(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "nats-server_1.ports").write_text('{"nats":["nats://127.0.0.1:1"]}')

    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, _),
    ):
        assert not address.url.endswith(":1")
        assert not (folder.run / "nats-server_1.ports").exists()


async def test_the_server_dies_with_a_killed_launcher_and_the_folder_is_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        server = psutil.Process(int(owner.stdout.readline()))

        owner.kill()

    await eventually(lambda: not alive([server]), what="nats-server died")
    async with asyncio.TaskGroup() as group, open_folder(tmp_path) as folder, running_nats(folder, group) as (_, child):
        assert child.pid


async def test_a_client_without_the_token_is_refused(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, _),
    ):
        port = int(address.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')

        answer = await reader.readline()

        writer.close()
        assert b"Authorization Violation" in answer


async def test_nothing_of_the_server_answers_without_the_token(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, child),
    ):
        ports = {
            entry.laddr.port
            for entry in psutil.Process(child.pid).net_connections("inet")
            if entry.status == psutil.CONN_LISTEN
        }

    # That port asks for it: see the test above.
    assert ports == {int(address.url.rpartition(":")[2])}


async def test_a_data_folder_with_an_odd_name_holds_the_servers_data(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path / 'a "quoted" \\ $name, café {x}') as folder,
        running_nats(folder, group) as (address, _),
        Bus.connect(address.url, name="test", token=address.token) as bus,
    ):
        await bus.ensure()

        assert (folder.nats / "jetstream").is_dir()


async def test_a_server_is_found_again_after_its_run_folder_was_deleted(tmp_path):
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, child),
        Bus.connect(address.url, name="test", token=address.token) as bus,
    ):
        shutil.rmtree(folder.run)
        shutil.rmtree(folder.logs)

        os.kill(child.pid, signal.SIGKILL)

        await eventually(lambda: bus.reconnects and bus.is_connected, what="the client found it again")


@pytest.mark.slow
async def test_a_server_that_keeps_a_write_error_is_replaced_once_there_is_space_and_not_before(tmp_path):
    with small_disk(tmp_path / "disk", size="64m") as disk:
        async with (
            asyncio.TaskGroup() as group,
            open_folder(disk.path / "data") as folder,
            running_nats(folder, group) as (address, child),
            Bus.connect(address.url, name="test", token=address.token) as bus,
        ):
            await bus.ensure()
            job_id = new_job_id()
            await bus.work.publish(job_id, "motion-detector", "cpu")
            async with beside(bus.probe_writes(), repair_nats(child, folder, bus)):
                disk.fill()
                await eventually(lambda: bus.fault is not None, what="the bus stores nothing")
                await is_set_within(asyncio.Event(), 3 * REPAIR_EVERY_S)
                assert child.starts == 1, "a restart is no remedy on a full disk"

                disk.free()

                await eventually(lambda: child.starts == 2 and bus.is_connected, what="it is replaced")
                await eventually(lambda: bus.fault is None, what="the bus stores again")
                assert await bus.work.has(job_id, "motion-detector", "cpu")


@pytest.mark.slow
async def test_a_server_that_stores_nothing_is_replaced_after_sure_s_only(tmp_path, monkeypatch):
    monkeypatch.setattr(nats, "SURE_S", 600.0)
    async with (
        asyncio.TaskGroup() as group,
        open_folder(tmp_path) as folder,
        running_nats(folder, group) as (address, child),
        Bus.connect(address.url, name="test", token=address.token) as bus,
    ):
        await bus.ensure()
        async with beside(bus.probe_writes(), repair_nats(child, folder, bus)):
            await bus._main.api("STREAM.DELETE.KV_plugins")
            await eventually(lambda: bus.fault is not None, what="the bus stores nothing")
            await is_set_within(asyncio.Event(), 3 * REPAIR_EVERY_S)
            assert child.starts == 1, "it may only be slow"

            monkeypatch.setattr(nats, "SURE_S", 0.1)

            await eventually(lambda: child.starts > 1, what="it is replaced")
