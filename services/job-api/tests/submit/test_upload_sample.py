"""What is kept of an upload for the probe: both ends at their true places, whatever its length and pieces."""

import stat

import pytest

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.submit.upload_sample import EDGE_BYTES, Sample, stored_sample

EDGE = 64
BYTES = bytes(range(256)) * 12


async def sampled(folder, data: bytes, piece: int, edge: int = EDGE):
    """Let `data` pass in pieces; gives what came out and what was kept."""

    async def pieces():
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    sample = Sample(folder, edge_bytes=edge)
    passed = b"".join([chunk async for chunk in sample.copying(pieces())])
    return passed, await sample.finish()


@pytest.mark.parametrize("piece", [1, 13, 64, 100, 5000], ids=lambda piece: f"pieces of {piece}")
@pytest.mark.parametrize("size", [1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 1000, 3000])
async def test_both_ends_are_kept_at_their_true_places(tmp_path, monkeypatch, size, piece):
    monkeypatch.setattr("forgesyte_job_api.submit.upload_sample._WRITE_BYTES", 48)
    data = BYTES[:size]

    passed, kept = await sampled(tmp_path, data, piece)

    hole = size - 2 * EDGE
    expected = data if hole <= 0 else data[:EDGE] + bytes(hole) + data[-EDGE:]
    assert passed == data
    assert kept.path.read_bytes() == expected
    assert (kept.size_bytes, kept.holes) == (size, ((EDGE, size - EDGE),) if hole > 0 else ())
    assert [path.name for path in tmp_path.iterdir()] == ["input"]


@pytest.mark.parametrize("size", [1, 63, 64, 65, 127, 128, 129, 1000])
async def test_of_a_stored_blob_the_same_is_kept(tmp_path, size):
    store = Store.open(str(tmp_path / "store"))
    await store.put("jobs/a/input", BYTES[:size])
    (tmp_path / "upload").mkdir()
    _, expected = await sampled(tmp_path / "upload", BYTES[:size], 100)

    kept = await stored_sample(store, "jobs/a/input", tmp_path / "input", edge_bytes=EDGE)

    assert kept.path.read_bytes() == expected.path.read_bytes()
    assert (kept.size_bytes, kept.holes) == (expected.size_bytes, expected.holes)
    assert kept.path.stat().st_mode & stat.S_IROTH


async def test_of_a_blob_that_is_gone_nothing_is_kept(tmp_path):
    with pytest.raises(BlobMissing):
        await stored_sample(Store.open(str(tmp_path / "store")), "jobs/a/input", tmp_path / "input")


async def test_the_sandbox_may_read_the_file_under_another_uid(tmp_path):
    _, kept = await sampled(tmp_path, BYTES, 100)

    assert kept.path.stat().st_mode & stat.S_IROTH


@pytest.mark.slow
async def test_the_file_of_a_large_upload_is_sparse(tmp_path):
    _, kept = await sampled(tmp_path, bytes(range(256)) * 4096 * 80, 300_000, edge=EDGE_BYTES)

    facts = kept.path.stat()
    assert facts.st_size == 80 * 1024 * 1024
    assert facts.st_blocks * 512 <= 2 * EDGE_BYTES + 1024 * 1024


async def test_a_scratch_folder_that_takes_no_more_is_told_as_full_storage(tmp_path):
    with pytest.raises(ForgeSyteError) as refused:
        await sampled(tmp_path / "gone", b"some bytes", 4)

    assert refused.value.code is Code.STORAGE_FULL
    assert "scratch" in refused.value.detail
