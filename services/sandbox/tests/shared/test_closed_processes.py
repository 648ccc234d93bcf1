"""Memory of processes that the kernel shows only in part, as those of another uid to a container's root."""

import os
import subprocess
import sys

import pytest

from forgesyte_sandbox.shared import process_memory
from forgesyte_sandbox.shared.process_memory import data_limit_of, file_bytes, group_bytes, proportional_bytes

PID = os.getpid()


@pytest.fixture
def closed(monkeypatch):
    """As if neither the open files nor the memory map of any process could be read."""
    read_proc = process_memory.read_proc

    def refuse(pid, name):
        raise PermissionError(name)

    monkeypatch.setattr(process_memory, "names_in_proc", refuse)
    monkeypatch.setattr(
        process_memory, "read_proc", lambda pid, name: (refuse if name == "smaps_rollup" else read_proc)(pid, name)
    )


HOLDS_32_MIB = "kept = b'x' * (32 << 20); print(flush=True); input()"


def test_memory_that_is_not_shown_is_never_nothing(closed):
    # Of a process that does nothing else: in this one the memory of earlier tests is given back at any time.
    command = [sys.executable, "-c", HOLDS_32_MIB]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()

        assert proportional_bytes(holder.pid) >= 32 << 20
        assert group_bytes([holder.pid], suspicious_above=0) >= 32 << 20
        holder.communicate(b"\n")


def test_shared_memory_of_the_uid_counts_where_open_files_are_not_shown(closed, monkeypatch):
    monkeypatch.setattr(process_memory, "_uid_of", lambda pid: 60600)
    monkeypatch.setattr(process_memory, "bytes_of_uid", {60600: 5 << 20}.__getitem__)

    assert file_bytes([PID, PID]) == 5 << 20


def test_the_limit_of_a_process_is_read_back():
    assert data_limit_of(PID) > 0
    assert data_limit_of(2**22 - 1) is None
