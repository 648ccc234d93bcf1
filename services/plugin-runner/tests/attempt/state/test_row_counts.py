"""What the rows of an attempt add up to, whatever a plugin reports."""

from forgesyte_plugin_runner.attempt.state.row_counts import MAX_CLASSES, MAX_CLASSES_BYTES, OTHER, RowCounts
from forgesyte_sandbox.shared.messages import Row


def a_row(index: int, **changes) -> Row:
    return Row(frame_index=index, data=b"{}", **changes)


def test_counts_made_from_a_summary_continue_it():
    first = RowCounts()
    first.add(a_row(0, detections=2, classes={"cat": 2}))

    second = RowCounts(first.summary)
    second.add(a_row(1, detections=1, classes={"dog": 1}))

    assert (second.summary.frame_count, second.summary.detection_count) == (2, 3)
    assert second.summary.classes == {"cat": 2, "dog": 1}


def test_the_limits_hold_over_counts_made_from_a_summary():
    counts = RowCounts()
    for number in range(MAX_CLASSES):
        counts.add(a_row(number, classes={f"class {number}": 1}))

    counts = RowCounts(counts.summary)
    counts.add(a_row(MAX_CLASSES, classes={"one more": 1}))

    assert counts.summary.classes[OTHER] == 1
    assert "one more" not in counts.summary.classes


def test_the_summary_counts_classes_and_no_plugin_can_outgrow_it():
    counts = RowCounts()

    for number in range(MAX_CLASSES + 20):
        counts.add(a_row(number, detections=1, classes={f"class {number}": 1}))

    assert (counts.summary.frame_count, counts.summary.detection_count) == (MAX_CLASSES + 20, MAX_CLASSES + 20)
    assert len(counts.summary.classes) == MAX_CLASSES + 1
    assert counts.summary.classes[OTHER] == 20


def test_names_of_classes_have_a_limit_in_bytes_too():
    counts = RowCounts()

    for number in range(MAX_CLASSES):
        counts.add(a_row(number, detections=1, classes={"\x01" * 60 + f"{number:04d}": 1}))

    assert len(counts.summary.model_dump_json()) < MAX_CLASSES_BYTES + 2000
    assert sum(counts.summary.classes.values()) == MAX_CLASSES
    assert counts.summary.classes[OTHER] > 0
