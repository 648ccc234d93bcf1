"""Everything on one machine, started in the order of its dependencies and stopped in the reverse order.

Start: lock on the data folder, nats-server, the connection to it, the apps behind the public port, the runner, then
the check that all of it is ready. Stop: not ready, no new connections, runners drain, sockets close with 1000, open
requests end, apps stop, nats-server last. The order is the nesting in one function and is written nowhere else.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.settings import env_name, settings_with
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.allowed_pages import AllowedPages
from forgesyte_chassis.web.keys import KeyRing, require_loopback
from forgesyte_chassis.web.ops import OPS_LIMITS, Health, ops_app
from forgesyte_chassis.web.port_state import ConnectionLimits
from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_launcher.interruption import unless_stopped
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import warn
from forgesyte_plugin_runner.settings import RunnerSettings

from .apps import create_apps, read_settings
from .data_folder import DataFolder, open_folder
from .edge import serving, url_of
from .forget_uninstalled import forget_uninstalled
from .logfiles import follow
from .nats import BusAddress, keep_streams, repair_nats, running_nats
from .readiness import wait_ready
from .runner_ops import open_runner_ops
from .runner_process import RunnerWall, runner_process
from .runners.running_runners import RunnerPlan, cell_name, running_runners

_HEALTH_KEPT_S = 0.2

_KEY_REMEDY = (
    f"Set keys in {env_name(JobApiSettings, 'api_keys')} as NAME:SCOPE+SCOPE:HASH, where HASH is "
    "what `printf %s KEY | sha256sum` prints; for your own client: me:analyze+read+stream+plugins:HASH."
)


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The options of a run.

    Attributes:
        data_dir: the data folder; made if missing.
        host: the address of the public port.
        port: the public port; 0 takes any free port.
        slots: how many jobs run at once; None leaves it to the runner's settings.
        permitted: plugins that may have what their manifests ask for; empty leaves it to the runner's settings.
        has_ops_port: whether /livez, /readyz and /metrics are served, at the address in the settings.
        shows_logs: whether the children's logs are copied to stderr.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    slots: int | None = None
    permitted: tuple[str, ...] = ()
    has_ops_port: bool = False
    shows_logs: bool = False


@asynccontextmanager
async def running_stack(options: StackOptions, lifetime: Lifetime, settings: LauncherSettings) -> AsyncIterator[str]:
    """Run everything during the block, which begins when jobs can be submitted; yield the public address.

    Raises:
        ForgeSyteError: a setting, the port, the data folder or a child prevents the start; the text says which.
        Interrupted: a signal arrived before everything was ready.
    """
    keys = _keys(options)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(open_listener(options.host, options.port))
        url = url_of(options.host, listener)
        folder = await stack.enter_async_context(open_folder(options.data_dir))
        address, nats = await stack.enter_async_context(running_nats(folder, lifetime.group))
        bus = await stack.enter_async_context(Bus.connect(address.url, name="edge", token=address.token))
        await bus.ensure()
        await stack.enter_async_context(beside(bus.probe_writes(), keep_streams(bus), repair_nats(nats, folder, bus)))
        await forget_uninstalled(bus)
        registry = new_registry("launcher")
        app_settings = read_settings(_api_settings(options, folder, address, settings))
        apps = create_apps(bus, Store.open(str(folder.store)), keys, app_settings, registry=registry)
        health = Health()
        health.add_check("bus", bus.check)
        ops = await stack.enter_async_context(open_runner_ops(is_wanted=options.has_ops_port))
        ops_listener = _open_ops_port(settings) if options.has_ops_port else None
        if ops_listener is not None:
            app = ops_app(health, registry, ops.metrics)
            pages = AllowedPages.from_settings(settings)
            serving_ops = serve_http(  # it also answers during the drain
                app, ops_listener, stopping=asyncio.Event(), limits=OPS_LIMITS, allowed=pages
            )
            lifetime.group.create_task(serving_ops, name="ops port")
        limits = ConnectionLimits.of(settings)
        allowed = AllowedPages.from_settings(settings).with_those_of(AllowedPages.from_settings(app_settings.job_api))
        serving_edge = serving(apps, listener, lifetime.group, limits=limits, allowed=allowed)
        edge = await stack.enter_async_context(serving_edge)
        await stack.enter_async_context(apps.streams_closed_at_end())
        wall = RunnerWall(options.permitted, allows_degraded=settings.allow_degraded_sandbox)
        spec = runner_process(folder, address, drain_s=settings.drain_s, slots=options.slots, wall=wall)
        own = RunnerSettings()
        plan = RunnerPlan(ops.handed_to(spec), spec, most_cells=options.slots or own.slots, plugins=own.plugins)
        runner = await stack.enter_async_context(running_runners(bus, plan, lifetime.group))
        if options.shows_logs:
            _show_logs(folder, lifetime, plan.most_cells)
        await unless_stopped(lifetime.stopping, wait_ready(bus, runner, url))
        for name, check in apps.readiness_checks().items():
            health.add_check(name, check)
        health.set_ready(True)
        try:
            yield url
        finally:
            health.set_ready(False)
            edge.stop_accepting()


def _api_settings(
    options: StackOptions, folder: DataFolder, address: BusAddress, settings: LauncherSettings
) -> JobApiSettings:
    degraded = {"allow_degraded_sandbox": True} if settings.allow_degraded_sandbox else {}
    return settings_with(
        JobApiSettings,
        bus_url=address.url,
        bus_token=SecretStr(address.token),
        store_url=str(folder.store),
        scratch_dir=str(folder.scratch),
        bus_dir=str(folder.nats),
        host=options.host,
        port=options.port,
        health_kept_s=_HEALTH_KEPT_S,
        private_dirs=str(folder.root),
        **degraded,
    )


def _keys(options: StackOptions) -> KeyRing:
    try:
        keys = KeyRing.from_settings(JobApiSettings())
    except ValueError as error:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"FORGESYTE_JOB_API_* settings: {error}") from error
    try:
        require_loopback(options.host, keys)
    except ForgeSyteError as error:
        raise ForgeSyteError(error.code, f"{error.detail} {_KEY_REMEDY}") from error
    return keys


def _open_ops_port(settings: LauncherSettings) -> socket.socket | None:
    """Open the ops port, or a free one where it is taken, and say which it is; None where it is switched off.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when no port of its address can be opened.
    """
    host, port = settings.ops_host, settings.ops_port
    if port < 0:
        return None
    taken = ""
    try:
        listener = open_listener(host, port)
    except ForgeSyteError:
        listener = open_listener(host, 0)
        taken = f" (port {port} cannot be used; {env_name(LauncherSettings, 'ops_port')} chooses another)"
    # Without /readyz: scripts wait for the word "ready", which says that jobs can be submitted.
    warn(f"health and metrics: {url_of(host, listener)}/livez, /metrics{taken}")
    return listener


def _show_logs(folder: DataFolder, lifetime: Lifetime, most_cells: int) -> None:
    cells = (cell_name("plugin-runner", number) for number in range(1, most_cells + 1))
    for name in ("nats-server", "plugin-runner", *cells):
        copying = follow(folder.logs / f"{name}.log", partial(_show_line, name))
        lifetime.group.create_task(copying, name=f"log of {name}")


def _show_line(name: str, line: str) -> None:
    warn(f"{name}: {line}")
