"""A filter's program run in Python, as the kernel runs it: for machines that are not at hand."""

import operator
from dataclasses import dataclass, field

from forgesyte_sandbox.child.wall import bpf

_TESTS = {0x15: operator.eq, 0x25: operator.gt, 0x35: operator.ge, 0x45: lambda word, value: word & value != 0}


@dataclass
class Facts:
    """struct seccomp_data, and which of its arguments were looked at."""

    number: int
    audit: int
    arguments: tuple = ()
    looked_at: set = field(default_factory=set)

    def word(self, offset):
        if offset == bpf.NUMBER:
            return self.number & 0xFFFFFFFF
        if offset == bpf.ARCHITECTURE:
            return self.audit
        which, is_high = divmod(offset - 16, 8)
        self.looked_at.add(which)
        argument = self.arguments[which] if which < len(self.arguments) else 0
        return (argument & 0xFFFFFFFFFFFFFFFF) >> (32 if is_high else 0) & 0xFFFFFFFF


def answer_of(program, facts):
    """The SECCOMP_RET_ value."""
    word, place = 0, 0
    while True:
        step = program[place]
        place += 1
        match step.code:
            case 0x06:
                return step.constant
            case 0x20:
                word = facts.word(step.constant)
            case 0x54:
                word &= step.constant
            case 0x05:
                place += step.constant
            case code:
                place += step.skip_yes if _TESTS[code](word, step.constant) else step.skip_no
