"""Whatever the buckets hold, the answers are 200 and 404, never 500, and good entries are still reported."""

import itertools
import json

import pytest

from tests.support import eventually

PATHS = [
    "/v1/plugins",
    "/v1/plugins/",
    "/v1/plugins/motion",
    "/v1/plugins/motion/health",
    "/v1/plugins/motion/manifest",
    "/v1/devices",
    "/v1/runners",
]

PIDS = itertools.count(1)
DEEP = b"[" * 100_000
GARBAGE = {
    "nothing": b"",
    "bytes": bytes(range(256)),
    "half": b'{"runner_id": "x"',
    "null": b"null",
    "list": b"[[]]",
    "number": b"1e999",
    "deep": DEEP,
    "surrogate": b'{"name": "\\ud800"}',
    "other model": b'{"health": {"name": "b", "state": "GREAT"}}',
}


def beat_text(make, **changes) -> bytes:
    """A heartbeat as text, so that it can hold what no model would allow."""
    beat = json.loads(make.a_heartbeat("odd", make.a_plugin("odd")).model_dump_json())
    beat["plugins"][0] |= changes
    return json.dumps(beat).encode()


ODD_PLUGINS = {
    "name with a slash": {"name": "../x"},
    "unknown state": {"state": "GREAT"},
    "negative counts": {"success_count": -7, "error_count": -(2**70)},
    "counts beyond 64 bit": {"success_count": 10**300},
    "infinite times": {"last_execution_time_ms": float("inf"), "uptime_seconds": float("nan")},
    "first moment of the calendar": {"last_used": "0001-01-01T00:00:00+14:00"},
    "last moment of the calendar": {"last_used": "9999-12-31T23:59:59-14:00"},
    "moment without a zone": {"last_used": "2025-01-01T00:00:00"},
    "reason of another type": {"reason": {"a": 1}},
    "long reason": {"reason": "x" * 100_000},
    "control characters": {"reason": "\x00\x1b[31m\u202e"},
    "manifest of another plugin": {"manifest": {"name": "a", "version": "1.0.0", "tools": [{"name": "t"}]}},
    "odd schema": {
        "manifest": {
            "name": "odd",
            "version": "1.0.0",
            "latency_budget_ms": float("inf"),
            "tools": [{"name": "t", "options_schema": {"n": float("nan"), "i": 10**400, "\x00": [None]}}],
        }
    },
    "manifest without tools": {"manifest": {"name": "odd", "version": "1", "tools": []}},
}


async def answers(inspector, *more):
    return {path: (await inspector.http.get(path)).status_code for path in (*PATHS, *more)}


@pytest.mark.parametrize("bucket", ["runners", "plugins"])
async def test_garbage_in_a_bucket_does_no_harm(inspector, bucket):
    await inspector.beat()
    store = getattr(inspector.bus, bucket)._bucket
    for name, data in GARBAGE.items():
        for key in (name.replace(" ", "-"), "motion", "runner-1", "UPPER", "with.dots", "a/b=c"):
            await store.write(key, data)
    await inspector.beat("runner-2")

    assert set((await answers(inspector)).values()) == {200}
    assert [each["name"] for each in await inspector.get("/v1/plugins")] == ["motion"]
    for name in ("UPPER", "with.dots", "null"):
        assert (await inspector.http.get(f"/v1/plugins/{name}/health")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("changes", ODD_PLUGINS.values(), ids=ODD_PLUGINS)
async def test_heartbeat_with_odd_values_is_never_a_500(shared_inspector, make, changes):
    inspector = shared_inspector
    await inspector.beat()
    await inspector.bus.runners._bucket.write("odd", beat_text(make, **changes))
    await inspector.beat("behind", pid=next(PIDS))  # unlike any before, so that it is heard after the odd one

    status = await answers(inspector, "/v1/plugins/odd", "/v1/plugins/odd/health", "/v1/plugins/odd/manifest")

    assert {status[path] for path in PATHS} == {200}
    assert set(status.values()) <= {200, 404}
    for path in PATHS:
        json.loads((await inspector.http.get(path)).content, parse_constant=pytest.fail)


async def test_garbage_is_there_before_the_start(start):
    async with start() as before:
        await before.bus.plugins._bucket.write("motion", DEEP)
        await before.bus.runners._bucket.write("runner-1", DEEP)

    async with start() as after:
        assert await after.get("/v1/plugins") == []

        await after.beat()

        assert [each["name"] for each in await after.get("/v1/plugins")] == ["motion"]
        await eventually(after.kept)


async def test_key_that_holds_another_plugins_health_is_not_believed(start, make):
    async with start() as before:
        await before.beat()
        await eventually(before.kept)
        value = await before.bus.plugins._bucket.read("motion")
        await before.bus.plugins._bucket.write("impostor", value.data)

    async with start() as after:
        assert [each["name"] for each in await after.get("/v1/plugins")] == ["motion"]
