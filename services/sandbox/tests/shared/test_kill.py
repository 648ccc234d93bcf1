"""Which processes are killed, and which are not."""

import os
import subprocess

import pytest

from forgesyte_sandbox.shared import kill
from forgesyte_sandbox.shared.process_tree import started_at


@pytest.fixture
def sleeper():
    """A process that leads a session."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def test_a_pid_that_has_another_owner_when_it_is_opened_is_left_alone(sleeper, monkeypatch):
    answers = iter([True, False])
    monkeypatch.setattr(kill, "all_processes", lambda: [sleeper.pid])
    monkeypatch.setattr(kill, "carries", lambda pid, mark: next(answers, False))

    assert kill.kill_marked("MARK=1") == 0

    assert sleeper.poll() is None


def test_a_session_is_killed_only_if_its_leader_is_the_one_that_was_forked(sleeper):
    started = started_at(sleeper.pid)

    assert kill.kill_sessions({sleeper.pid: started - 1}, {os.geteuid()}) == 0
    assert kill.kill_sessions({sleeper.pid: started}, {os.geteuid() + 1}) == 0
    assert sleeper.poll() is None

    assert kill.kill_sessions({sleeper.pid: started}, {os.geteuid()}) == 0
    assert sleeper.wait() == -9
