"""What watchers of a job receive live, from a real runner with real sandboxes over a real bus."""

import asyncio
import base64
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import orjson
import pytest
from jsonschema import Draft202012Validator

from forgesyte_chassis.bus import BusUnavailable, LiveMessage
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.realtime import message_schemas, parse_order
from tests.support import eventually, make_clip

from ...test_jobs import FRAMES
from ...test_warm_jobs import PLUGIN, warm_probe  # noqa: F401 - a fixture

SCHEMAS = {kind: Draft202012Validator(schema) for kind, schema in message_schemas().items()}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def box(shared_box):
    """One box for all tests of this file."""
    return shared_box


@dataclass
class Heard:
    """The live messages of one job."""

    messages: list[LiveMessage] = field(default_factory=list)

    def take(self, _job_id: str, message: LiveMessage) -> None:
        self.messages.append(message)

    def payloads(self, kind: str) -> list[dict]:
        return [orjson.loads(message.body)["payload"] for message in self.messages if message.kind == kind]

    async def up_to(self, order: str) -> None:
        """Wait for the message of this order: the record that names its last comes over another connection."""
        last = parse_order(order)
        await eventually(lambda: self.orders and self.orders[-1] >= last, what="the last words are heard")

    @property
    def orders(self) -> list:
        return [parse_order(message.order) for message in self.messages]

    @property
    def kinds(self) -> set[str]:
        return {message.kind for message in self.messages}


@asynccontextmanager
async def hearing(box, job_id):
    heard = Heard()
    async with box.bus.live.follow(heard.take, job_id):
        yield heard


@asynccontextmanager
async def watching(box, job_id):
    """Hold a lease on the job as a gateway does, and hear it."""

    async def renew() -> None:
        while True:
            with suppress(BusUnavailable):
                await box.bus.control.watch(job_id)
            await asyncio.sleep(1)

    async with hearing(box, job_id) as heard, asyncio.TaskGroup() as group:
        renewing = group.create_task(renew())
        yield heard
        renewing.cancel()


async def run_watched(box, clip, gate, plugin="probe", *, pause_ms=0):
    """Run a job that is watched from its middle on; return what was heard and the record."""
    job_id = await box.submit(clip, "gate", plugin, **gate.options, pause_ms=pause_ms)
    await gate.reached()
    await eventually(lambda: has_rows_up_to(box, job_id, gate.at), 60, "the runner has all that was sent so far")
    async with watching(box, job_id) as heard:
        # The second one comes a second after the first: by then the sandbox also knows that the job is watched.
        await eventually(lambda: len(heard.payloads("plugin_status")) > 1, 60, "the watcher receives a status")
        gate.open()
        record = await box.ended(job_id)
        await heard.up_to(record.order)
    return heard, record


async def has_rows_up_to(box, job_id, frame):
    return (await box.record(job_id)).current_frame == frame


async def test_nothing_is_published_without_a_lease(box, clip, gate):
    box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)

    async with hearing(box, job_id) as heard:
        await gate.reached()
        gate.open()
        record = await box.ended(job_id)

    assert record.status is JobStatus.COMPLETED
    assert record.order == "1.0"
    assert heard.messages == []


@pytest.mark.parametrize("plugin", ["probe", PLUGIN], ids=["isolation job", "isolation plugin"])
async def test_a_watched_job_sends_each_kind_of_message_as_its_schema_says(box, clip, gate, plugin, warm_probe):  # noqa: F811
    box.start_runner(plugins=plugin)

    # Previews and rows may be left out at the end of a job, so this one runs for some seconds.
    heard, record = await run_watched(box, clip, gate, plugin, pause_ms=100)

    assert record.status is JobStatus.COMPLETED
    assert heard.kinds == {"progress", "plugin_status", "frame", "partial_result"}
    for message in heard.messages:
        body = orjson.loads(message.body)
        SCHEMAS[message.kind].validate(body)
        assert (body["type"], body["payload"]["job_id"]) == (message.kind, record.job_id)


async def test_progress_tells_the_stage_and_in_the_end_the_speed(box, clip, gate):
    box.start_runner()

    heard, _ = await run_watched(box, clip, gate, pause_ms=100)

    told = heard.payloads("progress")
    assert told[0]["stage"] == "processing"
    assert told[-1]["stage"] == "finishing"
    assert {each["stage"] for each in told} == {"processing", "finishing"}
    assert told[-1]["fps"] > 0


async def test_how_it_ended_is_left_to_the_record(box, clip, gate):
    box.start_runner()

    heard, record = await run_watched(box, clip, gate)

    # An attempt that is fenced at its last write has not completed anything.
    assert record.status is JobStatus.COMPLETED
    assert {each["status"] for each in heard.payloads("plugin_status")} <= {"started", "running"}


async def test_progress_never_falls_and_its_last_is_the_last_frame(box, clip, gate):
    box.start_runner()

    heard, _ = await run_watched(box, clip, gate)

    heard_progress = [(each["progress"], each["current_frame"]) for each in heard.payloads("progress")]
    assert heard_progress == sorted(heard_progress)
    assert heard_progress[0] == (50, gate.at)
    assert heard_progress[-1] == (99, FRAMES)
    assert {each["status"] for each in heard.payloads("progress")} == {"running"}


async def test_orders_rise_strictly_and_the_record_holds_the_last(box, clip, gate):
    box.start_runner()

    heard, record = await run_watched(box, clip, gate)

    assert heard.orders == sorted(set(heard.orders))
    assert parse_order(record.order) >= heard.orders[-1]


async def test_the_orders_of_the_next_attempt_are_above_those_before(box, clip, gate):
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    sandbox = await gate.reached()
    async with watching(box, job_id) as heard:
        await eventually(lambda: heard.messages, what="the first attempt is heard")
        gate.reached_file.unlink()
        next(process for process in runner.tree() if process.pid == sandbox).kill()
        gate.open()
        record = await box.ended(job_id)
        await heard.up_to(record.order)

    attempts = [order.attempt for order in heard.orders]
    assert heard.orders == sorted(set(heard.orders))
    assert {1, 2} == set(attempts)
    assert record.status is JobStatus.COMPLETED
    percents = [each["progress"] for each in heard.payloads("progress")]
    assert percents == sorted(percents)


async def test_previews_are_small_jpegs_and_no_more_than_five_per_second(box, tmp_path, gate):
    clip = make_clip(tmp_path / "large.mp4", frames=FRAMES * 4, size_wh=(800, 600)).read_bytes()
    box.start_runner()
    begun_s = time.monotonic()

    heard, _ = await run_watched(box, clip, gate, pause_ms=5)

    # Measured around the whole run, because messages sent evenly may arrive in bursts.
    frames, elapsed_s = heard.payloads("frame"), time.monotonic() - begun_s
    assert len(frames) >= 1
    assert len(frames) <= 5 * (elapsed_s + 1)
    jpeg = base64.b64decode(frames[-1]["data"]["image"].partition(",")[2])
    assert jpeg.startswith(b"\xff\xd8")
    assert (frames[-1]["data"]["width"], frames[-1]["data"]["height"]) == (800, 600)


@pytest.mark.slow
async def test_a_bus_that_disappears_under_a_watched_job_costs_messages_and_nothing_else(box, clip, gate):
    box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    async with watching(box, job_id) as heard:
        await eventually(lambda: heard.messages, what="the watcher receives something")
        box.nats.kill()
        gate.open()
        await box.nats.start()
        await eventually(lambda: box.bus.is_connected, what="the bus is back")
        record = await box.ended(job_id)

    assert record.status is JobStatus.COMPLETED
    assert record.attempt == 1
    assert parse_order(record.order) >= heard.orders[-1]
