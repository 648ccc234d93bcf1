from forgesyte_chassis.scratch import Scratch
from forgesyte_contracts.ids import JobId, RunnerId


async def test_what_a_dead_runner_left_is_swept_and_a_living_neighbour_is_not(tmp_path):
    dead = tmp_path / "dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "input").write_bytes(b"media")
    strange = tmp_path / "strange"
    strange.mkdir()

    async with Scratch.open(tmp_path, RunnerId("neighbour")) as neighbour, Scratch.open(tmp_path, RunnerId("me")):
        assert neighbour.folder.exists()
        assert not dead.exists()
        assert strange.exists(), "a folder without a lock file is not ours"


async def test_nothing_is_left_after_a_runner(tmp_path):
    async with Scratch.open(tmp_path, RunnerId("me")) as scratch:
        async with scratch.job(JobId("job"), 1) as folder:
            (folder / "input").write_bytes(b"media")
        assert not folder.exists()

    assert not scratch.folder.exists()
