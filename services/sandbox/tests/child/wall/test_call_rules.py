"""What the filter answers on both machines, by running its program in Python."""

import errno
import itertools
import signal
from functools import cache

import pytest

from forgesyte_sandbox.child.wall import bpf, call_rules
from forgesyte_sandbox.child.wall.call_rules import OWN_PID
from forgesyte_sandbox.child.wall.syscalls import LAST_NUMBER, MACHINES, NUMBERS

from .simulated import Facts, answer_of

ALLOWED, ASKED = 0x7FFF0000, 0x7FC00000
REFUSED, MISSING, PRETENDED = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS, 0x50000
FREQUENT = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "mmap": (9, 222), "munmap": (11, 215),
    "brk": (12, 214), "madvise": (28, 233), "futex": (202, 98), "pread64": (17, 67), "lseek": (8, 62),
    "clock_gettime": (228, 113), "sched_yield": (24, 124), "recvmsg": (47, 212), "rt_sigprocmask": (14, 135),
    "epoll_pwait": (281, 22), "ppoll": (271, 73), "exit_group": (231, 94), "set_robust_list": (273, 99),
    "rseq": (334, 293), "getrandom": (318, 278), "statx": (332, 291), "sched_getaffinity": (204, 123),
}  # fmt: skip
PLUGIN = {"landlock_abi": 7, "has_own_uid": False, "signals_only_itself": False}


def names(*tables):
    return [name for table in tables for calls in table.values() for name in calls.split()]


@cache
def program(machine, profile="plugin", **changes):
    rules = call_rules.sandbox_rules(profile, **{**PLUGIN, **changes})
    return bpf.assemble(call_rules.whole_filter(rules, MACHINES[machine]))


def answer(machine, call, *arguments, within=None, **changes):
    kind = MACHINES[machine]
    number = call if isinstance(call, int) else NUMBERS[call][kind.column]
    return answer_of(within or program(machine, **changes), Facts(number, kind.audit, arguments))


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


@pytest.mark.parametrize("column", [0, 1], ids=MACHINES)
def test_no_two_calls_have_one_number_and_none_is_above_the_last(column):
    numbers = [pair[column] for pair in NUMBERS.values() if pair[column] is not None]

    assert len(set(numbers)) == len(numbers)
    assert max(numbers) == LAST_NUMBER


def test_calls_that_came_since_the_tables_were_joined_have_one_number_on_both():
    assert {name: pair for name, pair in NUMBERS.items() if pair[0] > 423 and pair[0] != pair[1]} == {}


@pytest.mark.parametrize("call", names(call_rules._REFUSED_ALWAYS))
def test_a_call_of_the_refused_ones_is_in_the_table_and_refused_on_both_machines(call):
    assert NUMBERS[call][0] is not None
    for machine, within in PROGRAMS.items():
        if NUMBERS[call][MACHINES[machine].column] is not None:
            assert answer(machine, call, *[-1] * 6, within=within) == REFUSED


PROGRAMS = {machine: program(machine) for machine in MACHINES}


def test_media_may_neither_start_a_program_nor_change_names(machine):
    media = program(machine, profile="media")

    for call in names(call_rules._REFUSED_TO_MEDIA):
        if NUMBERS[call][MACHINES[machine].column] is not None:
            assert answer(machine, call, within=media) == REFUSED
            assert answer(machine, call, 0, 0o100644, 0o100644) == ALLOWED
    assert answer(machine, "clone", signal.SIGCHLD, within=media) == REFUSED
    assert answer(machine, "clone", 0x10000 | 0x100, within=media) == ALLOWED


@pytest.mark.parametrize("profile", ["plugin", "media"])
@pytest.mark.parametrize("abi", [0, 7])
def test_the_program_has_room_to_grow(machine, profile, abi):
    assert len(program(machine, profile, landlock_abi=abi, signals_only_itself=True)) < bpf.MOST_INSTRUCTIONS / 4


def test_frequent_calls_are_allowed_without_a_look_at_their_arguments_so_that_the_kernel_skips_the_filter(machine):
    kind = MACHINES[machine]
    asking = bpf.assemble(call_rules.whole_filter(call_rules.signal_rules(others=call_rules.ASK_REFEREE), kind))
    for within in (PROGRAMS[machine], program(machine, "media"), asking):
        for numbers in FREQUENT.values():
            facts = Facts(numbers[kind.column], kind.audit, (-1,) * 6)
            assert answer_of(within, facts) == ALLOWED
            assert facts.looked_at == set()


@pytest.mark.parametrize(
    "options",
    [{}, {"profile": "media"}, {"landlock_abi": 2, "signals_only_itself": True}],
    ids=["plugin", "media", "old"],
)
def test_both_machines_answer_alike_where_arguments_decide(options):
    words = (0, 1, 3, 5, 8, 0o1101, 0x8901, 0x10000, 0o60644, OWN_PID, -1, 1 << 32)
    rules = call_rules.sandbox_rules(**{"profile": "plugin", **PLUGIN, **options})
    names = [name for name, rule in rules.items() if not isinstance(rule, bpf.Answer) and NUMBERS[name][1] is not None]
    programs = {machine: program(machine, **options) for machine in MACHINES}

    assert len(names) > 15
    for name, (one, other) in itertools.product(names, itertools.product(words, repeat=2)):
        arguments = (one, other, one, other, one, other)
        answers = {answer(machine, name, *arguments, within=within) for machine, within in programs.items()}
        assert len(answers) == 1, (name, arguments, answers)


def test_calls_of_another_machine_are_refused(machine):
    for audit in (0x40000003, 0x40000028, 0):  # i386, 32-bit Arm, none
        assert answer_of(PROGRAMS[machine], Facts(1, audit)) == REFUSED


def test_calls_that_no_table_knows_do_not_exist(machine):
    for number in (LAST_NUMBER + 1, 512, 547, 0x40000000 | 101, -1):
        assert answer(machine, number) == MISSING


@pytest.mark.parametrize(
    ("abi", "arguments", "expected"),
    [
        (7, (0, 0, 0o1000), ALLOWED),
        (2, (0, 0, 0o1000), REFUSED),
        (2, (0, 0, 0o2001000), REFUSED),
        (2, (0, 0, 0o1001), ALLOWED),
        (2, (0, 0, 0o1002), ALLOWED),
        (2, (0, 0, 0), ALLOWED),
        (7, (0, 0, 3), REFUSED),
        (2, (0, 0, 0o1003), REFUSED),
    ],
)
def test_a_file_opened_to_read_is_emptied_only_where_landlock_asks_for_a_right(machine, abi, arguments, expected):
    assert answer(machine, "openat", *arguments, landlock_abi=abi) == expected


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("kill", (0, 9), ALLOWED),
        ("kill", (OWN_PID, 9), ALLOWED),
        ("kill", (-OWN_PID, 9), ALLOWED),
        ("kill", (-OWN_PID & 0xFFFFFFFF, 9), ALLOWED),
        ("kill", (-1, 9), ASKED),
        ("kill", (1, 9), ASKED),
        ("tgkill", (OWN_PID, 9, 6), ALLOWED),
        ("tgkill", (-OWN_PID, 9, 6), ASKED),
        ("tgkill", (1, OWN_PID, 6), ASKED),
        ("tkill", (1, 6), ASKED),
        ("rt_sigqueueinfo", (1, 6), ASKED),
        ("rt_tgsigqueueinfo", (1, 1, 6), ASKED),
        ("socket", (1, 1), ALLOWED),
    ],
)
def test_the_referee_is_asked_about_signals_beyond_the_process(machine, call, arguments, expected):
    rules = call_rules.signal_rules(others=call_rules.ASK_REFEREE)

    asking = bpf.assemble(call_rules.whole_filter(rules, MACHINES[machine]))

    assert answer(machine, call, *arguments, within=asking) == expected


@pytest.mark.parametrize("options", [{"profile": "media"}, {"signals_only_itself": True}], ids=["media", "no referee"])
def test_without_a_referee_signals_beyond_the_process_are_refused(machine, options):
    within = program(machine, **options)

    assert answer(machine, "kill", -OWN_PID, 6, within=within) == ALLOWED
    assert answer(machine, "tgkill", OWN_PID, 5, 6, within=within) == ALLOWED
    assert answer(machine, "kill", 1, 0, within=within) == REFUSED
    assert answer(machine, "tkill", 1, 0, within=within) == REFUSED


def test_only_a_uid_of_its_own_leaves_modes_times_and_scheduling_to_the_kernel(machine):
    own = program(machine, has_own_uid=True)

    for call, arguments in {
        "fchmodat": (1, 1),
        "utimensat": (1, 1, 1),
        "utimensat now": (1, 1),
        "prlimit64": (1,),
    }.items():
        assert answer(machine, call.split()[0], *arguments, within=own) == ALLOWED
    assert answer(machine, "fchmodat", 1, 1) == PRETENDED
    assert answer(machine, "utimensat", 1, 1, 1) == PRETENDED
    assert answer(machine, "utimensat", 1, 0, 0) == PRETENDED
    assert answer(machine, "utimensat", 1, 1, 0) == REFUSED
    assert answer(machine, "prlimit64", 1) == REFUSED
    assert answer(machine, "prlimit64", OWN_PID) == ALLOWED
