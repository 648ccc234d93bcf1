import json
from enum import Enum, StrEnum
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from forgesyte_sdk import Box, Detections, to_jsonable
from forgesyte_sdk.jsonable import MAX_DEPTH, MAX_WARNINGS


class Colour(Enum):
    RED = 1


class Kind(StrEnum):
    CAR = "car"


class Loose(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    value: object


class Node(BaseModel):
    next: "Node | None" = None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        pytest.param({"a": [1, 2.5, "x", True, None]}, {"a": [1, 2.5, "x", True, None]}, id="plain"),
        pytest.param((1, (2, 3)), [1, [2, 3]], id="tuples"),
        pytest.param({}, {}, id="nothing in it"),
        pytest.param("Straße ✓", "Straße ✓", id="unicode text"),
        pytest.param([np.float32(0.5), np.int64(7), np.bool_(True)], [0.5, 7, True], id="numpy scalars"),
        pytest.param({"m": np.array([[1, 2], [3, 4]], np.uint8)}, {"m": [[1, 2], [3, 4]]}, id="numpy array"),
        pytest.param(np.array(3.5), 3.5, id="numpy array without axes"),
        pytest.param(np.array(["a", "b"]), ["a", "b"], id="numpy array of text"),
        pytest.param(np.array([{"a": np.int8(1)}], object), [{"a": 1}], id="numpy array of objects"),
        pytest.param({1: "a", np.int16(2): "b"}, {"1": "a", "2": "b"}, id="whole-number keys"),
        pytest.param([Colour.RED, Kind.CAR], [1, "car"], id="enum members"),
        pytest.param({Kind.CAR: 1}, {"car": 1}, id="enum key"),
        pytest.param(Loose(value=Loose(value=np.float64(2))), {"value": {"value": 2.0}}, id="model in a model"),
        pytest.param([Loose(value=(1,))], [{"value": [1]}], id="model in a list"),
        pytest.param([2**64 - 1, -(2**63)], [2**64 - 1, -(2**63)], id="the largest whole numbers"),
    ],
)
def test_value_becomes_plain_json(value, plain):
    result, warnings = to_jsonable(value)

    assert result == plain
    assert warnings == []
    assert json.loads(json.dumps(result, allow_nan=False)) == plain


def test_result_holds_exact_plain_types():
    result, _ = to_jsonable({"text": Kind.CAR, "flag": np.bool_(False), "number": np.float64(1), "whole": np.int32(2)})

    assert [type(value) for value in result.values()] == [str, bool, float, int]


def test_typed_output_uses_the_names_of_the_wire():
    box = Box(xyxy=(1, 2, 3, 4), confidence=0.5, class_id=2, class_name="car")

    result, _ = to_jsonable(Detections(detections=[box]))

    assert result == {
        "detections": [
            {"xyxy": [1.0, 2.0, 3.0, 4.0], "center": [2.0, 3.0], "confidence": 0.5, "class_id": 2, "class": "car"}
        ]
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), np.float32("nan"), np.array(np.inf)])
def test_number_without_json_form_becomes_null_with_a_warning_that_names_the_path(number):
    result, warnings = to_jsonable({"regions": [{"share": 0.5}, {"share": number}]})

    assert result == {"regions": [{"share": 0.5}, {"share": None}]}
    assert len(warnings) == 1
    assert warnings[0].startswith("output.regions[1].share: ")


def test_nan_in_a_typed_output_names_its_path():
    box = Box(xyxy=(1, 2, float("nan"), 4), confidence=0.5)

    result, warnings = to_jsonable(Detections(detections=[box]))

    assert result["detections"][0]["xyxy"] == [1.0, 2.0, None, 4.0]
    assert [text.split(":")[0] for text in warnings] == [
        "output.detections[0].xyxy[2]",
        "output.detections[0].center[0]",
    ]


def test_many_warnings_are_folded():
    result, warnings = to_jsonable(np.full(1000, np.nan))

    assert result == [None] * 1000
    assert len(warnings) == MAX_WARNINGS + 1
    assert warnings[-1] == f"and {1000 - MAX_WARNINGS} more of this kind"


def test_text_with_a_lone_surrogate_is_replaced_with_a_warning():
    result, warnings = to_jsonable({"text": "a\ud800b", "\udcff": 1})

    assert result == {"text": "a?b", "?": 1}
    assert len(warnings) == 2


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"x", id="bytes"),
        pytest.param(bytearray(b"x"), id="bytearray"),
        pytest.param({1}, id="set"),
        pytest.param(1j, id="complex number"),
        pytest.param(Path("x"), id="path"),
        pytest.param(Fraction(1, 2), id="fraction"),
        pytest.param(object(), id="object"),
        pytest.param(print, id="function"),
        pytest.param(np.array([b"x"]), id="numpy array of bytes"),
        pytest.param(np.array([1j]), id="numpy array of complex numbers"),
        pytest.param(np.datetime64("2026-01-01"), id="numpy date"),
        pytest.param({(1, 2): 3}, id="tuple as key"),
        pytest.param({True: 3}, id="bool as key"),
        pytest.param({None: 3}, id="none as key"),
    ],
)
def test_value_without_json_form_is_refused_with_its_path(value):
    with pytest.raises(TypeError, match=r"^output\.a\[1\]: "):
        to_jsonable({"a": [0, value]})


def test_bytes_in_a_typed_output_are_refused_with_their_path():
    with pytest.raises(TypeError, match=r"^output\.value: bytes"):
        to_jsonable(Loose(value=b"x"))


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_whole_number_beyond_64_bits_is_refused_with_its_path(number):
    with pytest.raises(ValueError, match=r"^output\.a: "):
        to_jsonable({"a": number})


def test_key_that_stands_twice_once_it_is_text_is_refused():
    with pytest.raises(ValueError, match=r"^output: the key '1' appears twice"):
        to_jsonable({1: "a", "1": "b"})


def _list_in_itself():
    value = []
    value.append(value)
    return value


def _dict_in_itself():
    value = {}
    value["again"] = value
    return value


def _array_in_itself():
    value = np.empty(1, object)
    value[0] = value
    return value


def _model_in_itself():
    value = Node()
    value.next = value
    return value


@pytest.mark.parametrize("make", [_list_in_itself, _dict_in_itself, _array_in_itself, _model_in_itself])
def test_value_that_contains_itself_is_refused(make):
    with pytest.raises(ValueError, match=r"^output"):
        to_jsonable(make())


def test_nesting_is_bounded():
    value = 1
    for _ in range(MAX_DEPTH):
        value = [value]

    to_jsonable(value)

    with pytest.raises(ValueError, match="nested deeper"):
        to_jsonable([value])
