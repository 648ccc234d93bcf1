"""What a sandbox may take of disk, names, processes, threads, memory and descriptors: bounded, with a typed outcome.

As root in the default run; the rest in the long form: without a uid of its own the limit on processes counts on top of
all threads of the machine, and the way to it takes seconds.
"""

import pytest

from tests.escapes.running import Half

ROOT = pytest.param("root", marks=pytest.mark.slow)
USER = pytest.param("user", marks=pytest.mark.long)
PROCESSES, OPEN_FILES = 40, 200


@pytest.fixture(params=[ROOT, USER])
def greedy(request: pytest.FixtureRequest) -> dict:
    """How the greedy jobs of a user ended, by name."""
    fixture, configuration = {"root": ("halves", "own"), "user": ("all_halves", "7")}[request.param]
    half: Half = request.getfixturevalue(fixture)[request.param]
    if half.cannot:
        pytest.skip(half.cannot)
    return half.tables[configuration]["limits"] | {"user": request.param}


def test_a_full_disk_is_told_with_the_figure(greedy):
    ended = greedy["fills-the-disk"]

    assert (ended["kind"], ended["code"]) == ("failed", "DISK_LIMIT")
    assert "MiB on disk were in use at frame 1 (limit: 32 MiB)" in ended["error"]


def test_one_file_ends_at_the_limit(greedy):
    ended = greedy["fills-one-file"]

    assert ended["said"] == {"errno": "File too large", "written": 32 << 20}
    assert ended["ok"]


def test_countless_empty_files_are_told_with_the_figure(greedy):
    ended = greedy["makes-countless-files"]

    assert (ended["kind"], ended["code"]) == ("failed", "DISK_LIMIT")
    assert "more than 500 files and folders" in ended["error"]


def test_processes_end_at_the_limit(greedy):
    said = greedy["forks-without-end"]["said"]

    assert said["why"] == "Resource temporarily unavailable"
    assert said["made"] < PROCESSES or greedy["user"] == "user"


def test_threads_end_at_the_limit(greedy):
    said = greedy["starts-threads-without-end"]["said"]

    assert said["why"] == "RuntimeError"
    assert said["made"] < PROCESSES or greedy["user"] == "user"


def test_memory_in_files_without_a_name_counts(greedy):
    ended = greedy["hides-memory-in-a-nameless-file"]

    assert (ended["kind"], ended["code"]) == ("oom", "PLUGIN_OOM")


def test_a_death_leaves_no_core(greedy):
    assert greedy["leaves-a-core"]["said"] == {"code": -6, "files": []}


def test_descriptors_end_at_the_limit(greedy):
    said = greedy["opens-files-without-end"]["said"]

    assert said["why"] == "Too many open files"
    assert said["made"] < OPEN_FILES
