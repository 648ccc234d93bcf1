"""What a plugin raises reaches the caller as exact text and type, and never as an object."""

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.specs import ManifestSpec, Spec


@pytest.mark.parametrize(
    ("fault", "error_type", "error"),
    [
        pytest.param("raise", "ValueError", "bad frame: naïve text, 50 % of it", id="an ordinary exception"),
        pytest.param("system-exit", "SystemExit", "3", id="SystemExit"),
        pytest.param("keyboard-interrupt", "KeyboardInterrupt", "stop that", id="KeyboardInterrupt"),
        pytest.param("not-picklable", "NotPicklableError", "holds a lock", id="an exception that cannot be pickled"),
        pytest.param(
            "mute", "MuteError", "<MuteError, whose str() raised RuntimeError>", id="an exception whose str() raises"
        ),
        pytest.param("surrogate", "ValueError", "lone ? surrogate", id="text that is not Unicode"),
    ],
)
async def test_what_a_plugin_raises_crosses_as_exact_text(bench, fault, error_type, error):
    told = await bench.fault(fault)

    outcome = told.outcome
    assert (outcome.ok, outcome.kind, outcome.code, outcome.frame) == (False, "failed", Code.PLUGIN_ERROR, 2)
    assert (outcome.error_type, outcome.error) == (error_type, error)
    assert "sandbox_plugins.py" in outcome.traceback or fault == "mute"


async def test_rows_before_a_failure_are_kept(bench):
    told = await bench.fault("raise", at=5)

    assert [row["frame_index"] for row in told.rows] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("at", [-1, -2], ids=["prepare", "finalize"])
async def test_what_prepare_and_finalize_raise_fails_the_job(bench, at):
    told = await bench.fault("raise", at=at)

    assert (told.outcome.kind, told.outcome.error_type) == ("failed", "ValueError")


class DanceSpec(Spec):
    PROGRAM = "dance"


class OldSpec(ManifestSpec):
    """What another version of the parent would send."""

    def to_dict(self):
        return {**super().to_dict(), "distribution": "dist-one 1.0"}


async def test_an_unknown_key_of_a_spec_is_refused_by_name_and_no_plugin_is_blamed(bench):
    from forgesyte_sandbox.parent.order import Order
    from forgesyte_sandbox.shared.limits import Limits

    order = Order(OldSpec("sandbox_plugins:Good"), limits=Limits())
    outcome = await bench.zygote.run(order)

    assert (outcome.kind, outcome.code, outcome.error_type) == ("failed", Code.INTERNAL, "SpecRefused")
    assert "no key 'distribution'" in outcome.error


async def test_an_unknown_program_is_an_outcome_too(bench):
    from forgesyte_sandbox.parent.order import Order
    from forgesyte_sandbox.shared.limits import Limits

    outcome = await bench.zygote.run(Order(DanceSpec(), limits=Limits()))

    assert (outcome.kind, outcome.error_type) == ("failed", "LookupError")


def test_of_a_deep_traceback_the_last_frames_are_kept():
    from forgesyte_sandbox.child.failures import describe

    code = "def odd(n): even(n - 1)\ndef even(n): return 1 // n if n == 0 else odd(n - 1)"
    calls = {}
    exec(compile(code, "deep", "exec"), calls)

    try:
        calls["even"](600)
    except ZeroDivisionError as error:
        lines = describe(error, frame=0).traceback.splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert len([line for line in lines if "File" in line]) == 200
    assert lines[-1].startswith("ZeroDivisionError")
