"""What a verdict says: a whole sentence, and apart from it what happened and what to do next."""

import signal

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent import verdict
from forgesyte_sandbox.shared.heartbeat import Step
from forgesyte_sandbox.shared.messages import Failed

OOM = Failed(Code.PLUGIN_ERROR, "MemoryError", "no memory; none at all at frame 7.", oom=True)


@pytest.mark.parametrize(
    ("found", "text", "clause", "remedy"),
    [
        pytest.param(
            verdict.too_slow(Step.FRAME, 60, 7),
            "a frame took longer than its limit of 60 s at frame 7; its process group was killed",
            "a frame took longer than its limit of 60 s",
            "",
            id="a slow step",
        ),
        pytest.param(
            verdict.too_long(60, 7),
            "the job took longer than its limit of 60 s at frame 7; use a shorter input or raise the limit",
            "the job took longer than its limit of 60 s",
            "use a shorter input or raise the limit",
            id="a long job",
        ),
        pytest.param(
            verdict.too_much_memory(3 << 20, 2 << 20, 7),
            "3 MiB of memory were in use at frame 7, at most 2 MiB are allowed; "
            "use a smaller input or raise the memory limit",
            "3 MiB of memory were in use, at most 2 MiB are allowed",
            "use a smaller input or raise the memory limit",
            id="too much memory",
        ),
        pytest.param(
            verdict.broken_protocol("it closed its pipe; for good", 7),
            "the sandbox broke the message protocol at frame 7: it closed its pipe; for good",
            "the sandbox broke the message protocol: it closed its pipe; for good",
            "",
            id="a broken protocol",
        ),
        pytest.param(
            verdict.raised(OOM, 7),
            "memory was refused at frame 7: MemoryError: no memory; none at all at frame 7.",
            "memory was refused: MemoryError: no memory; none at all at frame 7",
            "",
            id="an exception about memory, whose own words stay",
        ),
        pytest.param(
            verdict.died(-signal.SIGSEGV, 7, "so long; at frame 7"),
            "the sandbox was ended by SIGSEGV at frame 7 before it was done; its last output: so long; at frame 7",
            "the sandbox was ended by SIGSEGV before it was done",
            "",
            id="a signal",
        ),
        pytest.param(
            verdict.died(3, None, ""),
            "the sandbox ended by itself with exit code 3 before it was done",
            "the sandbox ended by itself with exit code 3 before it was done",
            "",
            id="an exit",
        ),
    ],
)
def test_a_verdict_keeps_what_happened_apart_from_frame_and_advice(found, text, clause, remedy):
    assert (found.text, found.clause, found.remedy) == (text, clause, remedy)
