"""The binary form of a frame table: each byte where docs/api.md says that it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgesyte_contracts.http.frame_table import (
    FrameTable,
    FrameTableHead,
    TableOf,
    decode_frame_table,
    encode_frame_table,
)

JOB = "01900000-0000-7000-8000-000000000001"


def a_table(frames, times, **changes):
    facts = {"attempt": 1, "complete": True, "width": 768, "height": 432, "rotation": 0, "pixel_aspect": "1:1"}
    return FrameTable(**{"job_id": JOB, "frame_index": frames, "time_us": times, **facts, **changes})


def encoded(table):
    return encode_frame_table(FrameTableHead(**table.model_dump()), table.frame_index, table.time_us)


FRAMES = st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=20).map(sorted)
TIMES = st.integers(-(2**53), 2**53)


@given(FRAMES, st.data(), st.booleans(), st.sampled_from(TableOf), st.sampled_from([0, 90, 180, 270]))
def test_a_table_is_decoded_as_it_was_encoded(frames, data, complete, of, rotation):
    times = data.draw(st.lists(TIMES, min_size=len(frames), max_size=len(frames)))
    table = a_table(frames, times, complete=complete, of=of, rotation=rotation, pixel_aspect="4:3")

    assert decode_frame_table(encoded(table), JOB) == table


def test_a_table_of_frames_that_follow_each_other_is_these_bytes():
    table = a_table([5, 6], [500_000, -1], attempt=3, rotation=90, pixel_aspect="4:3", complete=False)

    assert encoded(table) == bytes.fromhex(
        "46734672 616d6573"  # FsFrames
        "01000000"  # version 1, no flags
        "03000000"  # attempt 3
        "02000000"  # two frames
        "05000000"  # the first is frame 5
        "00030000 b0010000"  # 768 x 432
        "5a000400 03000000 00000000 00000000"  # rotation 90, pixel aspect 4:3, ten zeros
        "00000000 80841e41"  # 500000.0
        "00000000 0000f0bf"  # -1.0
    )


def test_a_table_with_gaps_names_its_frames_behind_the_times():
    data = encoded(a_table([0, 2], [0, 80_000], of=TableOf.PLAYABLE))

    assert data[10:12] == b"\x07\x00", "complete, sparse, of playable"
    assert data[48 + 16 :] == b"\0\0\0\0\x02\0\0\0"


def test_a_table_without_frames_is_its_header_alone():
    table = a_table([], [], width=0, height=0, pixel_aspect=None)

    assert len(encoded(table)) == 48
    assert decode_frame_table(encoded(table), JOB) == table


@pytest.mark.parametrize(
    "changed",
    [lambda data: b"", lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"x" + data[1:],
     lambda data: data[:8] + b"\x02" + data[9:]],
    ids=["nothing", "cut off", "too long", "other magic", "other version"],
)  # fmt: skip
def test_what_is_no_table_is_refused(changed):
    with pytest.raises(ValueError, match="expected"):
        decode_frame_table(changed(encoded(a_table([0, 1], [0, 40_000]))), JOB)
