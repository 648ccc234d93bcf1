"""What a tool returns for a frame, and what its author reads when that is not what was promised."""

import numpy as np
import pytest
from pydantic import BaseModel

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.programs.rows import RowMaker
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sdk import EmptyOptions, Frame, Tool


class Size(BaseModel):
    """Something measured."""

    size: int


def a_maker(output: object) -> RowMaker:
    class Measure(Tool[EmptyOptions, Size]):
        name = "measure"

        def process_frame(self, frame):
            return output

    return RowMaker({"measure": Measure(None, EmptyOptions())}, output_bytes=10_000)


def a_frame() -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), 7, 280.0)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        pytest.param(
            None, "tool measure returned None for frame 7, expected its Output, a Size", id="a forgotten return"
        ),
        pytest.param(
            {"size": "big"},
            "tool measure returned dict for frame 7, expected its Output, a Size: size: ",
            id="bad field",
        ),
        pytest.param([1], "tool measure returned list for frame 7, expected its Output, a Size", id="another kind"),
    ],
)
def test_an_output_of_another_kind_is_refused_in_a_sentence(output, sentence):
    with pytest.raises(Refusal) as refused:
        a_maker(output).make(a_frame(), time_us=40_000)

    assert str(refused.value).startswith(sentence)
    assert "pydantic.dev" not in str(refused.value)
    assert (refused.value.code, refused.value.error_type) == (Code.PLUGIN_ERROR, "ValidationError")


def test_a_dict_with_the_outputs_fields_is_taken():
    row, warnings = a_maker({"size": 3}).make(a_frame(), time_us=40_000)

    assert (row.frame_index, warnings) == (7, [])
    assert b'"detections":{"size":3}' in row.data
