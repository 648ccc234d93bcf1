"""The lines of format=csv."""

import csv
import io

import orjson
import pytest

from forgesyte_job_api.results.csvrows import COLUMNS, csv_header, csv_lines


def read(rows, tools=("detect-motion",)):
    text = (csv_header() + csv_lines(map(orjson.dumps, rows), tools)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def row(index=0, output=None, **outputs):
    found = {"detections": output} if output is not None else outputs
    return {"frame_index": index, "timestamp_ms": index * 40.0, **found}


def a_car(**changes):
    return {
        "xyxy": [1.5, 2, 30, 40],
        "center": [15.75, 21],
        "confidence": 0.875,
        "class_id": 2,
        "class": "car",
        **changes,
    }


def test_regions_fill_area_and_share_and_leave_the_rest_empty():
    (line,) = read([row(3, {"regions": [{"xyxy": [1, 2, 3, 4], "area": 4.0, "share": 0.25, "center": [2, 3]}]})])

    assert {name: value for name, value in line.items() if value} == {
        "frame_index": "3", "timestamp_ms": "120.0", "tool": "detect-motion",
        "x1": "1", "y1": "2", "x2": "3", "y2": "4", "area": "4.0", "share": "0.25",
    }  # fmt: skip


def test_several_tools_of_a_row_each_have_their_lines():
    rows = [row(0, a={"detections": [a_car()]}, b={"tracked_objects": [a_car(track_id=7), a_car(track_id=8)]})]

    lines = read(rows, ("a", "b"))

    assert [(line["tool"], line["track_id"], line["class"]) for line in lines] == [
        ("a", "", "car"), ("b", "7", "car"), ("b", "8", "car"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["regions", "detections", "tracked_objects"])
def test_a_frame_without_detections_has_no_line(name):
    assert read([row(0, {name: [], "motion_share": 0.0})]) == []


def test_an_output_without_boxes_is_one_line_of_json():
    (line,) = read([row(5, {"angle": 12.5, "name": "a,b"})])

    assert orjson.loads(line["output"]) == {"angle": 12.5, "name": "a,b"}
    assert (line["frame_index"], line["x1"]) == ("5", "")


def test_what_a_box_has_beyond_the_columns_is_json():
    (line,) = read([row(0, {"text_blocks": [{"xyxy": [0, 0, 5, 5], "text": "STOP", "confidence": 0.5}]})])

    assert orjson.loads(line["output"]) == {"text": "STOP"}


def test_values_that_were_not_finite_are_empty():
    (line,) = read([row(0, {"detections": [a_car(xyxy=[None, 1, 2, 3], confidence=None)]})])

    assert (line["x1"], line["confidence"]) == ("", "")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", '=HYPERLINK("http://x")'])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(name):
    (line,) = read([row(0, {"detections": [a_car(**{"class": name})]})])

    assert line["class"] == "'" + name


def test_numbers_below_zero_stay_numbers():
    (line,) = read([row(0, {"detections": [a_car(xyxy=[-5.5, -1, 2, 3])]})])

    assert (line["x1"], line["y1"]) == ("-5.5", "-1")


@pytest.mark.parametrize("name", ["a,b", 'a "b"', "two\nlines", "žluť"])
def test_text_of_any_kind_comes_back_whole(name):
    (line,) = read([row(0, {"detections": [a_car(**{"class": name})]})])

    assert line["class"] == name


def test_a_plugin_that_puts_anything_under_any_name_breaks_no_line():
    (line,) = read([row(0, {"detections": [a_car(**{"class": {"a": [1]}, "track_id": "=x", "confidence": True})]})])

    assert (line["class"], line["track_id"]) == ('{"a":[1]}', "'=x")


def test_it_is_rfc_4180():
    text = csv_header() + csv_lines([orjson.dumps(row(0, {"detections": [a_car(**{"class": 'x"y'})]}))], ["t"])

    assert text.count(b"\r\n") == text.count(b"\n") == 2
    assert b'"x""y"' in text
    assert text.splitlines()[0].decode().split(",") == list(COLUMNS)


def test_pandas_loads_it_without_options():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    rows = [row(index, {"detections": [a_car(confidence=index / 10)] * 2}) for index in range(5)]

    frame = pandas.read_csv(io.BytesIO(csv_header() + csv_lines(map(orjson.dumps, rows), ["t"])))

    assert list(frame.columns) == list(COLUMNS)
    assert frame.groupby("frame_index").size().tolist() == [2] * 5
    assert frame["x1"].tolist() == [1.5] * 10
    assert frame["class"].unique().tolist() == ["car"]
