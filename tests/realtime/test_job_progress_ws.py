"""`/ws/jobs/{job_id}` and its older path: accepted for any id, flat events of that job alone."""

import json

import pytest

from tests.support.gateway import IN_MODULE_LOOP, hear, hear_until, is_ending, is_frame, joined

PATHS = ("/ws/jobs/{}", "/v1/ws/jobs/{}")


async def ping(socket) -> None:
    await socket.send(json.dumps({"type": "ping"}))


@IN_MODULE_LOOP
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("job_id", ["0190b7a4-9c1e-7f3a-8d2b-5e6f7a8b9c0d", "any-id", "a.*.>", "%20"])
async def test_the_socket_is_accepted_for_any_id_and_ping_is_answered_pong(shared_gateway, path, job_id):
    async with shared_gateway.watch(path.format(job_id)) as socket:
        await ping(socket)

        assert await hear(socket) == {"type": "pong"}


@IN_MODULE_LOOP
@pytest.mark.parametrize("text", ["hello", "{", "[]", '{"type": "subscribe"}', "x" * 1_000_000, "", b"\x00\xff"])
async def test_other_text_is_ignored(shared_gateway, text):
    async with shared_gateway.flat("any-id") as socket:
        await socket.send(text)
        await ping(socket)

        assert await hear(socket) == {"type": "pong"}


@pytest.mark.parametrize("path", PATHS)
async def test_the_jobs_own_progress_is_received(served, play, path):
    runner = await play()
    async with served.watch(path.format(runner.job_id)) as socket:
        await joined(served, runner.job_id)
        await runner.frame(1, 4)
        heard = await hear_until(socket, is_frame(1))

    assert heard[-1]["percent"] == 25
    assert heard[-1]["job_id"] == runner.job_id


async def test_other_jobs_events_are_not_received(served, play):
    mine, other = await play(), await play()
    async with served.flat(mine.job_id) as socket, served.flat(other.job_id) as witness:
        await joined(served, other.job_id)
        await hear(socket)

        await other.frame(1, 4)
        await hear_until(witness, is_frame(1))
        await ping(socket)

        assert await hear(socket) == {"type": "pong"}


async def test_endings_are_flat(served, play):
    failed, cancelled = await play(), await play()
    async with served.flat(failed.job_id) as one, served.flat(cancelled.job_id) as other:
        await joined(served, failed.job_id)
        await joined(served, cancelled.job_id)
        await failed.fail("At frame 7 the plugin broke.")
        await cancelled.cancel()
        endings = [(await hear_until(socket, is_ending))[-1] for socket in (one, other)]

    assert endings == [
        {"status": "error", "job_id": failed.job_id, "message": "At frame 7 the plugin broke."},
        {"status": "cancelled", "job_id": cancelled.job_id},
    ]


async def test_a_pending_job_has_no_progress_until_it_runs(served, play):
    runner = await play(is_claimed=False)
    async with served.flat(runner.job_id) as socket:
        await joined(served, runner.job_id)
        await ping(socket)
        first = await hear(socket)
        await runner.claim()
        second = await hear(socket)

    assert first == {"type": "pong"}
    assert (second["current_frame"], second["percent"]) == (0, 0)


async def test_the_last_frame_is_sent_even_when_its_live_message_was_lost(served, play):
    runner = await play()
    async with served.flat(runner.job_id) as socket:
        await joined(served, runner.job_id)
        await runner.frame(98, 100)
        await runner.complete(100)
        heard = await hear_until(socket, is_ending)

    assert [message.get("percent") for message in heard][-2:] == [100, None]
