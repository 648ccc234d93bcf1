"""The filter and the referee in real processes, as the user the tests run as and, for root, as another one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELPER = Path(__file__).with_name("attempts.py")
OTHER_UID = 60990
KEPT = {
    "kept_threads": [0, 1, 2, 3],
    "kept_numpy": 27e6,
    "kept_process_and_pipe": ["hello", 0],
    "kept_queue": 41,
    "kept_pool": [1, 2, 3],
    "kept_lock": 0,
    "kept_terminate": -15,
    "kept_abort_of_a_forked_child": -6,
    "kept_abort_of_a_grandchild": 6,
    "kept_abort_in_a_thread_of_a_forked_child": -6,
    "kept_raise_signal": [1, -15],
    "kept_signal_to_a_forked_childs_parent": 1,
    "kept_signal_to_its_group": 0,
    "kept_program": "hello\n",
    "kept_own_limits_and_scheduling": 0,
    "kept_socketpair": "onetwo",
    "kept_files": ["copied", "fifo", "link", "new"],
    "kept_a_filter_of_ones_own": 0,
    "pretended_process_attributes": [0, 0, 1, 0],
}
REFUSALS = ("refused_always", "refused_by_their_arguments")
SIGNALS = ("signals_to_a_neighbour", "signals_to_a_neighbour_from_a_forked_child")
IN_MEDIA = ("kept_threads", "kept_numpy", "kept_socketpair", "pretended_process_attributes")
ABORT = "kept_abort_of_itself"
PYTHON = {"kept_python_program": "True\n"}
"""Made by the user the tests run as: another one may not be able to reach the interpreter."""
REFEREE = {
    "referee_answers_only_what_was_asked": [True, False, "EPERM"],
    "referee_is_not_held_up_by_a_caller_that_died_before_the_question_was_read": False,
    "referee_is_not_held_up_by_a_caller_that_died_before_the_answer": True,
    "referee_refuses_all_where_the_kernel_cannot_let_a_call_go_on": [True, "7"],
    "referee_that_is_gone_leaves_no_one_waiting": "ENOSYS",
    "referee_is_refused_to_a_process_that_does_not_lead_its_session": 7,
    "referee_is_one_at_most": 7,
}
PLUGIN = (*KEPT, *REFUSALS, ABORT)
SHARED_UID = ("refused_of_a_neighbour", "pretended_mode_and_times")

CONFIGURATIONS = {
    "referee": {"profile": None, "attempts": tuple(REFEREE)},
    "plugin, signals scoped": {"attempts": (*REFUSALS, *SHARED_UID, "kept_files", "truncation")},
    "plugin, own uid": {"uid": OTHER_UID, "own_uid": True, "attempts": PLUGIN},
    "plugin, referee": {"referee": True, "attempts": (*KEPT, *PYTHON, *SIGNALS, ABORT)},
    "plugin, referee, other uid": {"referee": True, "uid": OTHER_UID, "attempts": (*PLUGIN, *SIGNALS, *SHARED_UID)},
    "plugin, no referee, old Landlock": {"abi": 2, "only_itself": True, "attempts": (*SIGNALS, ABORT, "truncation")},
    "media": {"profile": "media", "attempts": (*IN_MEDIA, *REFUSALS, "refused_to_media", *SIGNALS[:1], ABORT)},
    "media, other uid": {
        "profile": "media",
        "uid": OTHER_UID,
        "attempts": (*IN_MEDIA, *REFUSALS, *SHARED_UID[:1], "refused_to_media", *SIGNALS[:1], ABORT),
    },
}
DEFAULTS = {"uid": None, "referee": False, "profile": "plugin", "abi": 7, "own_uid": False, "only_itself": False}


@pytest.fixture(scope="module")
def told():
    """What came of each configuration's attempts; one interpreter makes them all."""
    configurations = {
        name: {**DEFAULTS, **config}
        for name, config in CONFIGURATIONS.items()
        if os.geteuid() == 0 or "uid" not in config
    }
    command = [sys.executable, str(HELPER), json.dumps(configurations)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=240).stdout)

    def look_up(configuration, attempt):
        if configuration not in found:
            pytest.skip("only root can become another user")
        return found[configuration][attempt]

    return look_up


def with_attempt(*attempts):
    """The configurations in which one of the attempts is made, with the attempt."""
    return [
        pytest.param(name, attempt, id=f"{name}: {attempt}")
        for name, config in CONFIGURATIONS.items()
        for attempt in attempts
        if attempt in config["attempts"]
    ]


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt(*KEPT, *PYTHON))
def test_harmless_code_goes_on_working(told, configuration, attempt):
    assert told(configuration, attempt) == {"value": {**KEPT, **PYTHON}[attempt]}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt(ABORT))
def test_abort_dies_by_its_signal(told, configuration, attempt):
    assert told(configuration, attempt) == {"signal": "SIGABRT"}


@pytest.mark.parametrize(
    ("configuration", "attempt"), with_attempt("refused_always", "refused_of_a_neighbour", "refused_to_media")
)
def test_each_call_of_the_table_is_refused(told, configuration, attempt):
    refusals = told(configuration, attempt)["value"]

    assert refusals
    assert {call: answer for call, answer in refusals.items() if answer != "EPERM"} == {}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt("refused_by_their_arguments"))
def test_calls_are_refused_by_what_they_ask_for(told, configuration, attempt):
    missing = ("clone3", "openat2", "a call that no table knows", "an x32 call")
    refusals = dict(told(configuration, attempt)["value"])
    if "own uid" in configuration:  # the kernel allows it, and it reaches this sandbox alone
        assert refusals.pop("niceness of all of the user") is None

    assert [refusals.pop(name) for name in missing] == ["ENOSYS"] * 4
    assert {name: answer for name, answer in refusals.items() if answer != "EPERM"} == {}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt(*SIGNALS))
def test_no_signal_leaves_the_sandbox(told, configuration, attempt):
    answers = dict(told(configuration, attempt)["value"])

    assert answers.pop("kill what is not there") == (
        "ESRCH" if CONFIGURATIONS[configuration].get("referee") else "EPERM"
    )
    assert {call: answer for call, answer in answers.items() if answer != "EPERM"} == {}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt(*REFEREE))
def test_the_referee(told, configuration, attempt):
    assert told(configuration, attempt) == {"value": REFEREE[attempt]}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt("pretended_mode_and_times"))
def test_modes_and_times_are_accepted_and_stay_as_they_are(told, configuration, attempt):
    assert told(configuration, attempt) == {"value": [True, True]}


@pytest.mark.parametrize(("configuration", "attempt"), with_attempt("truncation"))
def test_files_are_emptied_only_through_a_descriptor_that_may_write_where_landlock_is_old(told, configuration, attempt):
    by_name = "EPERM" if "old Landlock" in configuration else None

    assert told(configuration, attempt)["value"] == {
        "truncate": by_name,
        "open to read and truncate": by_name,
        "open to write and truncate": None,
        "ftruncate": None,
        "reserve space beyond the end": "ENOTSUP",
        "reserve space by writing": None,
    }
