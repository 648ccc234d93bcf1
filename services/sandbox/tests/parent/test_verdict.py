"""What a verdict says: a whole sentence, and apart from it what happened."""

import signal

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent import verdict
from forgesyte_sandbox.shared.disk_usage import DiskUsage
from forgesyte_sandbox.shared.heartbeat import Step
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import Failed

LIMITS = Limits(scratch_bytes=2 << 20, scratch_files=10)
TOO_BIG = Failed(Code.PLUGIN_ERROR, "OSError", "[Errno 27] File too large", disk=True)
ADVICE = "have the plugin write less, for which it may have options, or raise the runner's setting"
OOM = Failed(Code.PLUGIN_ERROR, "MemoryError", "no memory; none at all at frame 7.", oom=True)


@pytest.mark.parametrize(
    ("found", "text", "clause"),
    [
        pytest.param(
            verdict.too_slow(Step.FRAME, 60, 7),
            "processing a frame took longer than its limit of 60 s at frame 7; its process group was killed",
            "processing a frame took longer than its limit of 60 s",
            id="a slow step",
        ),
        pytest.param(
            verdict.too_long(60, 7),
            "the job took longer than its limit of 60 s at frame 7; use a shorter input or raise the limit",
            "the job took longer than its limit of 60 s",
            id="a long job",
        ),
        pytest.param(
            verdict.too_much_memory(3 << 20, 2 << 20, 7),
            "3 MiB of memory were in use at frame 7 (limit: 2 MiB); use a smaller input or raise the memory limit",
            "3 MiB of memory were in use (limit: 2 MiB)",
            id="too much memory",
        ),
        pytest.param(
            verdict.too_much_disk(DiskUsage(3 << 20, 2), LIMITS, 7),
            f"3 MiB on disk were in use at frame 7 (limit: 2 MiB); {ADVICE} scratch_bytes",
            "3 MiB on disk were in use (limit: 2 MiB)",
            id="too much on disk",
        ),
        pytest.param(
            verdict.too_much_disk(DiskUsage(0, 11), LIMITS, 7),
            f"more than 10 files and folders were made at frame 7 in the scratch folder; {ADVICE} scratch_files",
            "more than 10 files and folders were made",
            id="too many files",
        ),
        pytest.param(
            verdict.too_much_disk(DiskUsage(0, 11, "the folder 'x' in the scratch folder cannot be read"), LIMITS, 7),
            "the folder 'x' in the scratch folder cannot be read at frame 7, so what the plugin keeps on disk cannot "
            "be measured; have it leave its folders readable and nest them less deeply",
            "the folder 'x' in the scratch folder cannot be read",
            id="a folder that cannot be read",
        ),
        pytest.param(
            verdict.raised(TOO_BIG, 7, LIMITS),
            "a file on disk may not grow beyond the limit of 2 MiB at frame 7: OSError: [Errno 27] File too large; "
            f"{ADVICE} scratch_bytes",
            "a file on disk may not grow beyond the limit of 2 MiB: OSError: [Errno 27] File too large",
            id="a file that may not grow",
        ),
        pytest.param(
            verdict.broken_protocol("it closed its pipe; for good", 7),
            "the sandbox broke the message protocol at frame 7: it closed its pipe; for good",
            "the sandbox broke the message protocol: it closed its pipe; for good",
            id="a broken protocol",
        ),
        pytest.param(
            verdict.raised(OOM, 7, LIMITS),
            "memory was refused at frame 7: MemoryError: no memory; none at all at frame 7.",
            "memory was refused: MemoryError: no memory; none at all at frame 7",
            id="an exception about memory, whose own words stay",
        ),
        pytest.param(
            verdict.died(-signal.SIGSEGV, 7, "so long; at frame 7", LIMITS),
            "the sandbox was killed by SIGSEGV at frame 7 before it finished; its last output: so long; at frame 7",
            "the sandbox was killed by SIGSEGV before it finished",
            id="a signal",
        ),
        pytest.param(
            verdict.died(3, None, "", LIMITS),
            "the sandbox exited with code 3 before it finished",
            "the sandbox exited with code 3 before it finished",
            id="an exit",
        ),
    ],
)
def test_a_verdict_keeps_what_happened_apart_from_frame_and_advice(found, text, clause):
    assert (found.text, found.clause) == (text, clause)
