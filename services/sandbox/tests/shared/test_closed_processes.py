"""Memory of processes that the kernel shows only in part, as those of another uid to a container's root."""

import os
from pathlib import Path

import pytest

from forgesyte_sandbox.shared import process_memory
from forgesyte_sandbox.shared.process_memory import data_limit_of, file_bytes, group_bytes, proportional_bytes

PID = os.getpid()


@pytest.fixture
def closed(monkeypatch):
    """As if neither the open files nor the memory map of this process could be read."""
    read_bytes, iterdir = Path.read_bytes, Path.iterdir

    def refuse(path):
        if path.name in ("smaps_rollup", "fd"):
            raise PermissionError(path)

    monkeypatch.setattr(Path, "read_bytes", lambda path: refuse(path) or read_bytes(path))
    monkeypatch.setattr(Path, "iterdir", lambda path: refuse(path) or iterdir(path))


def test_memory_that_is_not_shown_is_never_nothing(closed):
    before = proportional_bytes(PID)
    kept = bytearray(os.urandom(32 << 20))

    assert proportional_bytes(PID) - before >= 31 << 20
    assert group_bytes([PID], suspicious_above=0) >= before
    del kept


def test_shared_memory_of_the_uid_counts_where_open_files_are_not_shown(closed, monkeypatch):
    monkeypatch.setattr(process_memory, "_uid_of", lambda pid: 60600)
    monkeypatch.setattr(process_memory, "bytes_of_uid", {60600: 5 << 20}.__getitem__)

    assert file_bytes([PID, PID]) == 5 << 20


def test_the_limit_of_a_process_is_read_back():
    assert data_limit_of(PID) > 0
    assert data_limit_of(2**22 - 1) is None
