"""Opens everything a runner works with, runs it, and closes everything again in order."""

import socket
from contextlib import AsyncExitStack

from forgesyte_chassis.alive_page import stamping
from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.disk_watch import DiskWatch, written_folders
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store, folder_of
from forgesyte_contracts.ids import new_runner_id
from forgesyte_sandbox.parent.homes.survivors import end_survivors
from forgesyte_sandbox.parent.pool import WarmPool, WarmRules
from forgesyte_sandbox.parent.zygote import Zygote

from .runner import Connections, Runner
from .settings import RunnerSettings


async def serve(lifetime: Lifetime, settings: RunnerSettings) -> None:
    """Run one life of a runner until `lifetime.stopping` is set.

    Raises:
        ForgeSyteError: the bus cannot be reached or the sandbox cannot be started.
        OSError: the scratch folder cannot be created.
    """
    runner_id = new_runner_id(socket.gethostname())
    token = settings.bus_token.get_secret_value() if settings.bus_token else None
    async with AsyncExitStack() as stack:
        # The outermost, because a runner that hangs while it starts or closes must be found too.
        await stack.enter_async_context(stamping(settings.alive_fd, runner_id))
        await end_survivors(settings.own_wall())  # before the sweep of the folders that they write in
        bus = await stack.enter_async_context(Bus.connect(settings.bus_url, name=runner_id, token=token))
        await bus.ensure()
        scratch = await stack.enter_async_context(Scratch.open(settings.scratch_path, runner_id))
        homes = scratch.path / "homes"
        zygote = await stack.enter_async_context(Zygote.start(wall=settings.own_wall(), homes=homes))
        warm = await stack.enter_async_context(
            WarmPool.open(zygote, slots=settings.slots, rules=WarmRules(idle_s=settings.warm_idle_s))
        )
        store = Store.open(settings.store_url, call_limit_s=settings.store_call_s)
        disk = DiskWatch(
            written_folders(folder_of(settings.store_url), settings.bus_dir, scratch), settings.min_free_bytes
        )
        await disk.look()
        await stack.enter_async_context(beside(disk.run(), bus.probe_writes()))
        opened = Connections(bus=bus, store=store, scratch=scratch, zygote=zygote, disk=disk, warm=warm)
        runner = Runner(runner_id, settings=settings, opened=opened, lifetime=lifetime, clock=SystemClock())
        await runner.run()
