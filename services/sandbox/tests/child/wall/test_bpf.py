"""A tree of decisions becomes a program that decides the same."""

import pytest

from forgesyte_sandbox.child.wall import bpf
from forgesyte_sandbox.child.wall.bpf import Answer, If, Load

from .simulated import Facts, answer_of

AUDIT = 7


def answers(decision, numbers):
    program = bpf.assemble(Load(bpf.NUMBER, decision))
    return [answer_of(program, Facts(number, AUDIT)) for number in numbers]


def test_a_search_gives_each_number_its_own_decision_and_the_rest_the_common_one():
    decisions = {number: Answer(1000 + number // 2) for number in range(3, 400, 7)}

    tree = bpf.by_number(decisions, others=Answer(1), last=450, beyond=Answer(2))

    expected = [decisions.get(number, Answer(1)).action for number in range(451)]
    assert answers(tree, range(451)) == expected
    assert answers(tree, (451, 1 << 30, -1)) == [2, 2, 2]


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [("==", 5, [5]), (">", 5, [6, 7]), (">=", 5, [5, 6, 7]), ("&", 3, [1, 2, 3, 5, 6, 7])],
    ids=lambda part: str(part),
)
def test_a_test_compares_as_it_reads(test, value, holds):
    found = answers(If(test, value, Answer(1), Answer(0)), range(8))

    assert [number for number in range(8) if found[number]] == holds


def test_a_mask_hides_the_other_bits():
    masked = Load(bpf.NUMBER, If("==", 1, Answer(1), Answer(0)), mask=0xF)

    assert answers(masked, (1, 0x31, 2)) == [1, 1, 0]


def test_a_branch_that_is_out_of_a_tests_reach_is_jumped_over():
    long = bpf.one_of(range(100, 500), Answer(3), Answer(4))
    program = bpf.assemble(Load(bpf.NUMBER, If("==", 1, Answer(1), long)))

    assert any(step.code == 0x05 for step in program)
    assert [answer_of(program, Facts(number, AUDIT)) for number in (1, 2, 100, 499, 500)] == [1, 4, 3, 3, 4]


def test_a_program_longer_than_the_kernel_takes_is_refused():
    numbers = dict.fromkeys(range(0, 3000, 2), Answer(1))
    tree = bpf.by_number(numbers, others=Answer(0), last=3000, beyond=Answer(2))

    with pytest.raises(ValueError, match="at most 4096 instructions, found 6"):
        bpf.assemble(tree)


def test_negative_values_are_compared_as_the_kernel_holds_them():
    assert answers(bpf.one_of([-2], Answer(1), Answer(0)), (-2, 2)) == [1, 0]


def test_a_stand_in_is_filled_in_only_where_a_step_holds_it_as_its_constant():
    stand_in = 0x15  # also the code of a test
    tree = Load(bpf.NUMBER, bpf.one_of([stand_in, -stand_in], Answer(1), Answer(stand_in)))

    filled = bpf.Template.of(bpf.assemble(tree), stand_in=stand_in).filled(1234)

    expected = Load(bpf.NUMBER, bpf.one_of([1234, -1234], Answer(1), Answer(1234)))
    assert filled == bpf.Template.of(bpf.assemble(expected), stand_in=0).steps
