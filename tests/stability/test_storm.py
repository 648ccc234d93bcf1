"""A storm: jobs that attack their runner, their zygote and nats-server, and kills from outside, beside healthy jobs.

Twice, for half of the time each: with the wall, where no attack succeeds, and with the wall switched off, where blame
alone finds the guilty. No healthy job is lost, doubled or wrong, and health does not lie. FORGESYTE_STORM_WALL=on or
=off runs one form alone. Two minutes long, ten with `make storm`, which runs the form with the wall; FORGESYTE_STORM_S
sets the seconds and FORGESYTE_SEED repeats the faults.
"""

import os
import secrets
from collections.abc import Callable
from time import monotonic

import pytest

from tests.stability.promises import Promise, fails, succeeds
from tests.stability.storm import Weather, join_paths, waits_of, wall_off
from tests.stability.test_random_faults import BROKEN
from tests.stability.test_random_faults import FAULTS as ALL_FAULTS
from tests.stability.witness import carriers, describe, is_alive
from tests.stability.workbench import PLUGINS
from tests.support import TEST_PLUGINS, eventually, running_stack

WALLS = tuple(filter(None, [os.environ.get("FORGESYTE_STORM_WALL")])) or ("on", "off")
DURATION_S = float(os.environ.get("FORGESYTE_STORM_S", "120")) / len(WALLS)
SEED = os.environ.get("FORGESYTE_SEED") or secrets.token_hex(4)
SLOTS = 4
MIB = 1 << 20
SETTINGS = {
    "FRAME_TIMEOUT_S": 3, "FINALIZE_TIMEOUT_S": 10, "LOAD_TIMEOUT_S": 20, "JOB_TIMEOUT_S": 900,
    "MEMORY_BYTES": 256 * MIB, "LOAD_MEMORY_BYTES": 512 * MIB, "SCRATCH_BYTES": 64 * MIB, "SCRATCH_FILES": 5000,
}  # fmt: skip
HOARDS = (
    fails("fills-its-scratch", "DiskLimit"),
    fails("makes-empty-files", "DiskLimit"),
    fails("digs-deep", "DiskLimit"),
    succeeds("opens-sockets"),
    succeeds("leaves-shared-memory"),
    Promise("floods-memfds", ("failed", "oom")),
    # Its uid's limit on processes may come first; on a busy machine it starves its runner, and is blamed for that.
    Promise("fork-bomb", ("failed", "timeout", "oom", "crashed")),
    # The limit on the size of a file holds for those in memory too, and is the lower one here.
    Promise("takes-memfd", ("failed", "oom"), error_type="DiskLimit"),
)
KEPT = (
    "raises", "exits-3", "segfaults", "loops", "stops-itself", "takes-64-mb-steps", "thread-bomb",
    "leaves-daemons-and-hangs", "gives-200-mb", "writes-garbage", "closes-all-descriptors-and-hangs",
    "prepare-hangs",
)  # fmt: skip
"""The faults of the matrix that hold processes, memory, time or the pipe: in a storm they meet dying runners."""

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(DURATION_S + 900)]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Writes a line for people, whatever pytest captures."""

    def write(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return write


@pytest.mark.parametrize("wall", WALLS)
async def test_in_a_storm_no_healthy_job_is_lost_or_doubled_and_health_does_not_lie(wall, tmp_path, clip, say):
    mark = secrets.token_hex(12)
    faults = {promise.plugin: promise for promise in HOARDS} | {name: ALL_FAULTS[name] for name in KEPT}
    say(f"storm for {DURATION_S:g} s, wall {wall}; FORGESYTE_SEED={SEED} repeats it")
    env = {"PYTHONPATH": join_paths(PLUGINS, TEST_PLUGINS, f"/nonexistent/{mark}")}
    env |= {f"FORGESYTE_RUNNER_{name}": str(value) for name, value in SETTINGS.items()}
    env |= {"FORGESYTE_RUNNER_PLUGINS": ",".join([*faults, *BROKEN, "healthy", "wrecker"])}
    env |= wall_off() if wall == "off" else {}
    async with running_stack(tmp_path / "data", slots=SLOTS, env=env) as stack:
        weather = Weather(stack, clip, SEED, 0.0, faults, BROKEN, is_walled=wall == "on")
        await eventually(lambda: are_all_known(weather), 240, "every plugin has a state")
        launcher = weather.launcher

        weather.until_s = monotonic() + DURATION_S
        await weather.blow(faults_at_once=3, healthy_at_once=2, attacks_at_once=2)
        await weather.check_right(await weather.run_job("measure", "healthy"))
        tell(weather, say)

        assert weather.wrong == [], f"FORGESYTE_SEED={SEED}"
        assert await weather.doubled_or_lost() == []
        assert {*weather.health.codes} == {200, 404}
        assert weather.launcher == launcher
    # Without the wall, a daemon in a session of its own outlives a zygote that is killed.
    left = [pid for pid in carriers(mark) if is_alive(pid)] if wall == "on" else []
    assert [describe(pid) for pid in left] == [], "nothing of the product is alive when it has ended"


async def are_all_known(weather: Weather) -> bool:
    shown = {plugin["name"]: plugin["state"] for plugin in (await weather.stack.http.get("/v1/plugins")).json()}
    return shown.keys() >= weather.installed and "LOADED" not in shown.values()


def tell(weather: Weather, say: Callable[[str], None]) -> None:
    """Sum up for people."""
    say(
        f"{sum(weather.attempts.values())} healthy jobs, by the outcomes of their attempts: {dict(weather.attempts)}\n"
        f"attacks: {dict(sorted(weather.attacks.items()))}\n"
        f"other endings: {dict(sorted(weather.endings.items()))}\n"
        f"{weather.health.summary}; {len(weather.wrong)} wrong\n"
        + "\n".join([*waits_of(weather.outside), *weather.wrong])
    )
