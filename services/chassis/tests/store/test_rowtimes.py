"""The times beside stored rows: they come back exactly, damage is noticed, older files are still read."""

import struct
import zlib
from array import array

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from forgesyte_chassis.store import rowfile
from forgesyte_chassis.store.rowfile import IndexEntry, RowsDamaged, index_bytes, pack, unpack, unpack_index
from forgesyte_chassis.store.rowtimes import FrameTimes, pack_times, unpack_times
from forgesyte_chassis.store.segments import encode_segment

MOST_US = 2**53 - 1


def a_row(frame, size=0):
    return orjson.dumps({"frame_index": frame, "pad": "x" * size})


def a_file(frames=3, size=0):
    times = FrameTimes.of((frame, 500_000 + 40_000 * frame) for frame in range(frames))
    return encode_segment(0, [a_row(frame, size) for frame in range(frames)], times), times


def an_old_file(rows):
    """What versions before there were times wrote."""
    data, entries = pack(rows)
    body = b"".join(struct.pack("<QIQI", one.first_frame, one.rows, one.offset, one.length) for one in entries)
    foot = struct.pack("<II8s", zlib.crc32(body), len(body), b"FsRows1\n")
    return data + struct.pack("<II", 0x184D2A5F, len(body) + len(foot)) + body + foot


def index_of(data):
    return unpack_index(data[-index_bytes(data[-rowfile.FOOT_BYTES :]) :], len(data))


def read_back(data):
    """Rows and times of a file; None for times that it does not have."""
    rows, times = [], FrameTimes()
    entries = index_of(data)
    for entry in entries:
        rows += unpack(data[entry.offset : entry.offset + entry.length], entry)
        if entry.times_offset:
            end = entry.times_offset + rowfile.times_bytes(entry.rows)
            times.extend(unpack_times(data[entry.times_offset : end], entry))
    return rows, times if all(entry.times_offset for entry in entries) else None


@given(st.sets(st.integers(0, 10**9), min_size=1, max_size=40), st.data())
def test_times_come_back_as_they_were(frames, data):
    kept = sorted(frames)
    moments = data.draw(st.lists(st.integers(-MOST_US, MOST_US), min_size=len(kept), max_size=len(kept)))
    times = FrameTimes(array("I", kept), array("q", moments))

    file = encode_segment(kept[0], [a_row(frame) for frame in kept], times)

    assert read_back(file) == ([a_row(frame) for frame in kept], times)


def test_each_zstd_frame_has_the_times_of_its_own_rows():
    file, times = a_file(frames=10, size=400_000)

    assert [(entry.first_frame, entry.rows) for entry in index_of(file)] == [(0, 3), (3, 3), (6, 3), (9, 1)]
    assert read_back(file)[1] == times


def test_other_tools_print_the_rows_and_nothing_else():
    file, _ = a_file(frames=10, size=400_000)

    text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()

    assert text == b"".join(a_row(frame, 400_000) + b"\n" for frame in range(10))


def test_a_file_of_an_older_version_is_read_as_one_without_times():
    rows = [a_row(frame, 400_000) for frame in range(5)]

    assert read_back(an_old_file(rows)) == (rows, None)


def test_a_changed_byte_is_noticed_wherever_it_is():
    file, times = a_file()

    for at in range(len(file)):
        changed = bytearray(file)
        changed[at] ^= 0x41
        try:
            found = read_back(bytes(changed))
        except RowsDamaged:
            continue
        assert found == ([a_row(frame) for frame in range(3)], times), f"byte {at}"


def test_a_file_that_is_cut_off_is_refused():
    file, _ = a_file()

    for length in range(len(file)):
        with pytest.raises(RowsDamaged):
            read_back(file[:length])


def test_times_of_other_rows_are_refused():
    data = pack_times(FrameTimes.of([(4, 0), (5, 40_000)]))

    with pytest.raises(RowsDamaged, match="those of others"):
        unpack_times(data, IndexEntry(3, 2, 0, 10, 10))


def test_times_that_are_not_in_frame_order_are_refused():
    data = pack_times(FrameTimes.of([(4, 0), (4, 40_000)]))

    with pytest.raises(RowsDamaged, match="those of others"):
        unpack_times(data, IndexEntry(4, 2, 0, 10, 10))


@pytest.mark.parametrize(
    "entries",
    [
        [IndexEntry(0, 1, 0, 10, 9)],
        [IndexEntry(0, 1, 0, 10, 11)],
        [IndexEntry(0, 1, 0, 10, 20), IndexEntry(1, 1, 10, 10, 20)],
        [IndexEntry(0, 2**32 - 1, 0, 10, 10)],
        [IndexEntry(0, 1, 0, 10, 2**64 - 1)],
    ],
    ids=["within the rows", "gap", "the same place twice", "more rows than a frame holds", "far behind the file"],
)
def test_an_index_whose_times_do_not_fit_its_file_is_refused(entries):
    index = rowfile.pack_index(entries)
    size = sum(entry.length + rowfile.times_bytes(entry.rows) for entry in entries) + len(index)

    with pytest.raises(RowsDamaged):
        unpack_index(index, size)


@pytest.mark.parametrize("frames", [(), (0,), (0, 1, 2), (1, 2)], ids=["none", "too few", "too many", "others"])
def test_a_segment_is_not_written_with_the_times_of_other_rows(frames):
    with pytest.raises(ValueError, match="expected the times of 2 rows"):
        encode_segment(0, [a_row(0), a_row(1)], FrameTimes.of((frame, 0) for frame in frames))
