import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from forgesyte_chassis.store.blobs import BlobMissing, Store, StoreUnavailable
from forgesyte_contracts.problems import Code, ForgeSyteError
from tests.support.waiting import eventually

MIB = 1024 * 1024


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    """A folder as on one box, and an object store as far as one exists without a network."""
    return Store.open(str(tmp_path / "store") if request.param == "folder" else "memory:///")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


async def chunks_of(*sizes, then=None):
    for size in sizes:
        yield b"x" * size
    if then is not None:
        raise then


async def read(store, path, **where):
    return b"".join([chunk async for chunk in store.stream(path, **where)])


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_a_blob_comes_back_as_it_was(store):
    await store.put("jobs/a/input", b"one")
    await store.put("jobs/a/input", b"two")

    assert await store.get("jobs/a/input") == b"two"
    assert await store.size("jobs/a/input") == 3


@pytest.mark.parametrize(
    ("root_mode", "file_mode", "folder_mode"),
    [(0o700, 0o600, 0o700), (0o711, 0o600, 0o711), (0o750, 0o640, 0o750), (0o755, 0o644, 0o755)],
    ids=["owner", "others-pass", "group", "all"],
)
async def test_a_blob_in_a_folder_is_open_to_whom_the_stores_folder_is_open(
    tmp_path, root_mode, file_mode, folder_mode
):
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(root_mode)
    store = Store.open(str(folder))

    await store.put("jobs/a/result", b"one")
    await store.create("jobs/a/seg/1-0", b"two")
    await store.put_stream("jobs/a/input", chunks_of(3))

    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in folder.rglob("*")}
    assert modes == {(True, folder_mode), (False, file_mode)}


def test_a_store_folder_that_is_made_is_closed_to_other_users(tmp_path):
    Store.open(str(tmp_path / "store"))

    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


async def test_create_leaves_what_is_there_already(store):
    first = await store.create("jobs/a/seg/1-0", b"one")
    second = await store.create("jobs/a/seg/1-0", b"two")

    assert (first, second) == (True, False)
    assert await store.get("jobs/a/seg/1-0") == b"one"


async def test_of_many_creators_at_once_exactly_one_wins(store):
    answers = await asyncio.gather(*(store.create("x", str(n).encode()) for n in range(20)))

    assert answers.count(True) == 1
    assert await store.get("x") == str(answers.index(True)).encode()


async def test_what_is_missing_is_told_as_such(store):
    with pytest.raises(BlobMissing, match="there is no blob at nope"):
        await store.get("nope")
    with pytest.raises(BlobMissing):
        await store.tail("nope", 10)
    with pytest.raises(BlobMissing):
        await store.get_range("nope", 0, 10)
    with pytest.raises(BlobMissing):
        await read(store, "nope")
    assert await store.size("nope") is None
    await store.delete("nope")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, b"0123456789"),
        ({"start": 4}, b"456789"),
        ({"start": 4, "end": 6}, b"45"),
        ({"end": 100}, b"0123456789"),
        ({"start": 10}, b""),
        ({"start": 50, "end": 60}, b""),
        ({"start": 6, "end": 4}, b""),
    ],
    ids=str,
)
async def test_a_stream_gives_the_bytes_asked_for(store, where, expected):
    await store.put("x", b"0123456789")

    assert await read(store, "x", **where) == expected


async def test_an_empty_blob_is_a_blob(store):
    await store.put("x", b"")

    assert await store.get("x") == b""
    assert await read(store, "x") == b""
    assert await store.tail("x", 10) == (b"", 0)
    assert await store.size("x") == 0


async def test_the_tail_comes_with_the_size(store):
    await store.put("x", b"0123456789")

    assert await store.tail("x", 3) == (b"789", 10)
    assert await store.tail("x", 99) == (b"0123456789", 10)


async def test_list_gives_a_folders_paths_sorted_by_name(store):
    for path in ("jobs/b/input", "jobs/a/seg/1-200", "jobs/a/seg/1-0", "jobs/a/input", "jobs/ab/input"):
        await store.put(path, b"x")

    assert await store.list("jobs/a/") == ["jobs/a/input", "jobs/a/seg/1-0", "jobs/a/seg/1-200"]
    assert await store.list("jobs/none/") == []


async def test_delete_folder_leaves_the_neighbours(store):
    for path in ("jobs/a/input", "jobs/a/seg/1-0", "jobs/ab/input"):
        await store.put(path, b"x")

    await store.delete_folder("jobs/a/")
    await store.delete_folder("jobs/a/")

    assert await store.list("jobs/") == ["jobs/ab/input"]


async def test_delete_folder_takes_leftovers_and_empty_folders_along(folder):
    store = Store.open(str(folder))
    await store.put("jobs/a/input", b"x")
    (folder / "jobs/a/input#1").write_bytes(b"half")

    await store.delete_folder("jobs/a/")

    assert not (folder / "jobs/a").exists()


@pytest.mark.parametrize("sizes", [(), (0,), (5,), (3 * MIB,) * 5, (17 * MIB, 1)], ids=str)
async def test_a_stream_is_written_whole(store, sizes):
    written = await store.put_stream("jobs/a/input", chunks_of(*sizes))

    assert written == sum(sizes) == await store.size("jobs/a/input")
    assert await read(store, "jobs/a/input") == b"x" * sum(sizes)


async def test_a_stream_of_exactly_the_limit_is_taken(store):
    assert await store.put_stream("x", chunks_of(600, 400), max_bytes=1000) == 1000


async def test_a_stream_over_the_limit_is_refused_with_both_numbers_and_nothing_stays(folder):
    store = Store.open(str(folder))

    with pytest.raises(ForgeSyteError) as caught:
        await store.put_stream("jobs/a/input", chunks_of(*[4 * MIB] * 9), max_bytes=20 * MIB)

    assert caught.value.code is Code.MEDIA_TOO_LARGE
    assert str(24 * MIB) in caught.value.detail
    assert str(20 * MIB) in caught.value.detail
    assert everything_in(folder) == []


@pytest.mark.parametrize("sizes", [(100,), (4 * MIB,) * 6], ids=["small", "several parts"])
async def test_of_a_stream_that_breaks_nothing_stays(folder, sizes):
    store = Store.open(str(folder))

    with pytest.raises(ConnectionError):
        await store.put_stream("jobs/a/input", chunks_of(*sizes, then=ConnectionError("client went away")))

    assert everything_in(folder) == []


async def test_a_stream_that_breaks_leaves_the_older_blob(folder):
    store = Store.open(str(folder))
    await store.put("jobs/a/input", b"older")

    with pytest.raises(ConnectionError):
        await store.put_stream("jobs/a/input", chunks_of(*[4 * MIB] * 6, then=ConnectionError()))

    assert await store.get("jobs/a/input") == b"older"
    assert everything_in(folder) == ["jobs", "jobs/a", "jobs/a/input"]


@pytest.mark.parametrize("steps", [1, 3, 7], ids=lambda steps: f"after {steps} chunks")
async def test_of_a_cancelled_stream_nothing_stays(folder, steps):
    store = Store.open(str(folder))
    given = asyncio.Event()

    async def endless():
        for _ in range(steps):
            yield b"x" * 3 * MIB
        given.set()
        while True:
            yield b"x" * 3 * MIB

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(store.put_stream("jobs/a/input", endless()))
        await given.wait()
        writing.cancel()

    assert writing.cancelled()
    assert everything_in(folder) == []


async def test_a_cancelled_put_is_whole_or_not_there(folder):
    store = Store.open(str(folder))
    for number in range(20):
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(store.put(f"x{number}", b"y" * MIB))
            await asyncio.sleep(0)
            writing.cancel()

    assert {path.stat().st_size for path in folder.iterdir()} <= {MIB}
    assert not [name for name in everything_in(folder) if "#" in name]


async def test_what_was_put_is_synced_with_every_folder_above_it(folder, monkeypatch):
    store = Store.open(str(folder))
    synced, real = [], os.fsync

    def noting(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    chain = [folder / "jobs/a/input", folder / "jobs/a", folder / "jobs", folder]

    await store.put("jobs/a/input", b"x")
    assert synced == chain

    await store.put_stream("jobs/a/input", chunks_of(5))
    assert synced == chain * 2

    await store.create("jobs/a/input", b"was there")
    assert synced == chain * 2


CHILD_THAT_NEVER_STOPS_WRITING = """
import asyncio, sys
from forgesyte_chassis.store.blobs import Store

async def endless():
    while True:
        yield b"x" * 1024 * 1024

asyncio.run(Store.open(sys.argv[1]).put_stream("jobs/a/input", endless(), max_bytes=1 << 40))
"""


async def test_the_leftover_of_a_killed_put_is_invisible_and_swept(folder):
    store = Store.open(str(folder))
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD_THAT_NEVER_STOPS_WRITING, str(folder))
    try:
        await eventually((folder / "jobs/a/input#1").exists, what="the put under way")
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()

    assert await store.list("jobs/") == []
    assert await store.size("jobs/a/input") is None
    assert await store.sweep() == 0  # too young: it could be a put under way
    assert await store.sweep(older_than_s=0) == 1
    assert not (folder / "jobs/a/input#1").exists()


CHILD_THAT_ENDS_BEHIND_A_CALL = """
import asyncio, sys
from forgesyte_chassis.store.blobs import Store

async def main():
    store = Store.open(sys.argv[1])
    await store.put("x", bytes(9_000_000))
    async for _ in store.stream("x"):
        break
    await store.get("x")

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_process_may_end_right_behind_a_call(folder):
    """With obstore's async calls a process that ends behind one aborts now and then."""
    for _ in range(10):
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD_THAT_ENDS_BEHIND_A_CALL, str(folder))

        assert await child.wait() == 0


async def test_sweep_leaves_blobs_alone(store):
    await store.put("jobs/a/input", b"x")

    assert await store.sweep(older_than_s=0) == 0
    assert await store.get("jobs/a/input") == b"x"


@pytest.fixture
async def blocked(folder):
    """A store with a file where a folder is needed: operations there must fail."""
    store = Store.open(str(folder))
    await store.put("jobs", b"a file")
    return store


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.put("jobs/a", b"x"),
        lambda store: store.create("jobs/a", b"x"),
        lambda store: store.put_stream("jobs/a", chunks_of(5)),
        lambda store: store.put_stream("jobs/a", chunks_of(9 * MIB, 9 * MIB)),
    ],
    ids=["put", "create", "small stream", "large stream"],
)
async def test_a_store_that_cannot_write_is_unavailable_and_keeps_its_own_text_to_the_log(blocked, ask):
    with pytest.raises(StoreUnavailable) as caught:
        await ask(blocked)

    assert caught.value.retryable
    assert "jobs" not in caught.value.detail
    assert caught.value.__cause__ is not None


async def test_a_blob_is_fetched_into_a_file(store, tmp_path):
    await store.put_stream("x", chunks_of(*[MIB] * 7))

    assert await store.fetch_to("x", tmp_path / "file") == 7 * MIB
    assert (tmp_path / "file").stat().st_size == 7 * MIB


async def test_of_a_fetch_that_fails_no_file_stays(store, tmp_path):
    with pytest.raises(BlobMissing):
        await store.fetch_to("nope", tmp_path / "file")

    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("form", ["plain", "url", "escaped"])
async def test_a_folder_is_opened_by_path_and_by_url(tmp_path, form):
    folder = tmp_path / "a folder"
    url = {"plain": str(folder), "url": f"file://{folder}", "escaped": f"file://{folder}".replace(" ", "%20")}[form]

    await Store.open(url).put("x", b"1")

    assert (folder / "x").read_bytes() == b"1"


def test_an_unknown_url_is_refused():
    with pytest.raises(ValueError, match="with nosuch://"):
        Store.open("nosuch://bucket")


@pytest.mark.parametrize("path", ["../x", "jobs/../../x", "jobs//x", "a#1"])
async def test_a_path_that_leads_elsewhere_is_refused(folder, path):
    store = Store.open(str(folder))

    with pytest.raises((ValueError, StoreUnavailable)):
        await store.put(path, b"x")

    assert everything_in(folder) == []


CHILD_THAT_STREAMS = """
import asyncio, sys
from pathlib import Path
from forgesyte_chassis.store.blobs import Store

def peak_kib():
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line).split()[1])

async def chunks(count):
    for _ in range(count):
        yield bytes(256 * 1024)

async def main():
    store = Store.open(sys.argv[1])
    await store.put_stream("warm", chunks(64))
    async for _ in store.stream("warm"):
        pass
    before = peak_kib()
    await store.put_stream("large", chunks(1600))
    async for _ in store.stream("large"):
        pass
    await store.fetch_to("large", Path(sys.argv[1]) / "copy")
    print(peak_kib() - before)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_memory_stays_flat_for_400_mib_in_and_out(folder):
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD_THAT_STREAMS, str(folder), stdout=pipe)

    out, _ = await child.communicate()

    assert int(out) < 64 * 1024


async def test_a_call_that_is_never_answered_counts_as_refused(tmp_path):
    """A file system of the network may hang; what waits for it must not."""
    store = Store.open(str(tmp_path / "store"))
    answered = threading.Event()
    await store.put("a/blob", b"x")
    store._call_limit_s = 0.2
    try:
        with pytest.raises(StoreUnavailable):
            await store._call("a/blob", answered.wait)
    finally:
        answered.set()
        store._call_limit_s = None  # what is well may take its time: a busy disk answers later than that

    assert await store.get("a/blob") == b"x"


async def test_a_stream_whose_piece_is_never_taken_is_given_up(tmp_path, monkeypatch):
    store = Store.open(str(tmp_path / "store"), call_limit_s=0.2)
    answered = threading.Event()
    call = store._call

    async def hanging(path, ask):
        return await call(path, answered.wait)

    async def pieces():
        yield b"x"

    monkeypatch.setattr(store, "_call", hanging)
    try:
        with pytest.raises(StoreUnavailable):
            await store.put_stream("a/blob", pieces())
    finally:
        answered.set()


async def test_a_copy_outlives_its_source_and_never_changes_with_it(store):
    await store.put("jobs/a/input", b"one")

    await store.copy("jobs/a/input", "jobs/b/input")
    await store.put("jobs/a/input", b"two")
    await store.delete("jobs/a/input")

    assert await store.get("jobs/b/input") == b"one"


async def test_a_copy_of_a_missing_blob_leaves_nothing(tmp_path):
    store = Store.open(str(tmp_path / "store"))

    with pytest.raises(BlobMissing):
        await store.copy("jobs/a/input", "jobs/b/input")

    assert everything_in(tmp_path / "store") == []


async def test_what_the_store_cannot_copy_itself_is_copied_as_a_stream(store, monkeypatch):
    await store.put("jobs/a/input", b"one")

    def refuse(*_args):
        raise OSError("no hard links here")

    monkeypatch.setattr("obstore.copy", refuse)
    await store.copy("jobs/a/input", "jobs/b/input")

    assert await store.get("jobs/b/input") == b"one"
