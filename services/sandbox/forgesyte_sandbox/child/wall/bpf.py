"""Programs for seccomp in classic BPF, written as a tree of decisions and laid out as instructions.

Each path through a tree ends in an answer, so a branch is one subtree after the other and no distance is counted by
hand. Rejected: labels and jumps (the same instructions, but a forgotten answer falls into the next call's decision),
libseccomp (a dependency in C, for which distributions pick the version).

The kernel runs a program at every system call, except for calls that it can prove to be always allowed (Linux 5.11): a
path that looks at nothing but the number. That is why `by_number` decides on the number first, by a binary search.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

MOST_INSTRUCTIONS = 4096
"""The kernel refuses a longer program."""

NUMBER, ARCHITECTURE = 0, 4
"""Where the facts about a call hold its number and the machine."""

_LOAD, _AND, _JUMP, _ANSWER = 0x20, 0x54, 0x05, 0x06
_TESTS = {"==": 0x15, ">": 0x25, ">=": 0x35, "&": 0x45}
_STEP = struct.Struct("=HBBI")
_FARTHEST = 255
_WORD = 0xFFFFFFFF


def low_word(argument: int) -> int:
    """Return where the low 32 bits of an argument (0 to 5) stand in the facts about a call."""
    return 16 + 8 * argument


def high_word(argument: int) -> int:
    """Return where the high 32 bits of an argument (0 to 5) stand in the facts about a call."""
    return low_word(argument) + 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What the kernel does with the call; a SECCOMP_RET_ value."""

    action: int


@dataclass(frozen=True, slots=True)
class Load:
    """Take the 32-bit word at `offset` of the facts about a call, of which only the bits of `mask` count."""

    offset: int
    then: "Decision"
    mask: int = _WORD


@dataclass(frozen=True, slots=True)
class If:
    """Compare the word last loaded, without a sign, with `value`; "&" asks whether they share a bit."""

    test: Literal["==", ">", ">=", "&"]
    value: int
    yes: "Decision"
    no: "Decision"


Decision = Answer | Load | If


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step: its code, how many steps to skip when its test holds or fails, and its constant."""

    code: int
    skip_yes: int
    skip_no: int
    constant: int

    def __post_init__(self) -> None:
        if not (0 <= self.skip_yes <= _FARTHEST and 0 <= self.skip_no <= _FARTHEST and 0 <= self.constant <= _WORD):
            raise ValueError(f"expected skips to {_FARTHEST} and a constant of 32 bits, found {self}")


Program = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A program as the kernel's array of struct sock_filter, in which a stand-in is filled in without laying it out.

    Attributes:
        steps: the array.
        places: where the stand-in is a step's constant.
        negative_places: where its negative is.
    """

    steps: bytes
    places: tuple[int, ...]
    negative_places: tuple[int, ...]

    @classmethod
    def of(cls, program: Program, *, stand_in: int) -> Self:
        """Pack a program."""
        steps = b"".join(_STEP.pack(step.code, step.skip_yes, step.skip_no, step.constant) for step in program)
        places = [
            tuple(at * _STEP.size + 4 for at, step in enumerate(program) if step.constant == value & _WORD)
            for value in (stand_in, -stand_in)
        ]
        return cls(steps, *places)

    def filled(self, value: int) -> bytes:
        """Return the array with `value` for the stand-in."""
        steps = bytearray(self.steps)
        for at in self.places:
            struct.pack_into("=I", steps, at, value)
        for at in self.negative_places:
            struct.pack_into("=i", steps, at, -value)
        return bytes(steps)


def one_of(values: Iterable[int], yes: Decision, no: Decision) -> Decision:
    """Decide whether the word last loaded is one of `values` (negative ones as the kernel holds them)."""
    for value in reversed(list(values)):
        no = If("==", value & _WORD, yes, no)
    return no


def by_number(decisions: Mapping[int, Decision], *, others: Decision, last: int, beyond: Decision) -> Decision:
    """Decide on the word last loaded by a binary search.

    Args:
        decisions: what holds for single numbers, 0 to `last`.
        others: what holds for the rest of them.
        last: the highest number.
        beyond: what holds above it.
    """
    starts: list[tuple[int, Decision]] = []
    for number in range(last + 1):
        decision = decisions.get(number, others)
        if not starts or starts[-1][1] != decision:
            starts.append((number, decision))
    return _search([*starts, (last + 1, beyond)])


def assemble(decision: Decision) -> Program:
    """Lay a tree out as a program.

    Raises:
        ValueError: it is longer than the kernel accepts.
    """
    program = tuple(_lay_out(decision))
    if len(program) > MOST_INSTRUCTIONS:
        raise ValueError(f"expected at most {MOST_INSTRUCTIONS} instructions, found {len(program)}")
    return program


def _search(starts: list[tuple[int, Decision]]) -> Decision:
    if len(starts) == 1:
        return starts[0][1]
    middle = len(starts) // 2
    return If(">=", starts[middle][0], _search(starts[middle:]), _search(starts[:middle]))


def _lay_out(decision: Decision) -> list[Instruction]:
    match decision:
        case Answer(action):
            return [Instruction(_ANSWER, 0, 0, action)]
        case Load(offset, then, mask):
            masked = [] if mask == _WORD else [Instruction(_AND, 0, 0, mask)]
            return [Instruction(_LOAD, 0, 0, offset), *masked, *_lay_out(then)]
        case If(test, value, yes, no):
            return _branch(_TESTS[test], value, _lay_out(yes), _lay_out(no))


def _branch(code: int, value: int, yes: list[Instruction], no: list[Instruction]) -> list[Instruction]:
    if len(no) <= _FARTHEST:
        return [Instruction(code, len(no), 0, value), *no, *yes]
    # The test reaches 255 steps, a jump without a test reaches any.
    return [Instruction(code, 0, 1, value), Instruction(_JUMP, 0, 0, len(no)), *no, *yes]
