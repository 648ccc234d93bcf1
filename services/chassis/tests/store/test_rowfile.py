import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from forgesyte_chassis.store import rowfile
from forgesyte_chassis.store.rowfile import IndexEntry, RowsDamaged, index_bytes, pack, pack_index, unpack, unpack_index


def a_row(frame, size=0):
    return orjson.dumps({"frame_index": frame, "pad": "x" * size})


def read_back(data):
    index = data[-index_bytes(data[-rowfile.FOOT_BYTES :]) :]
    entries = unpack_index(index, len(data))
    return [row for entry in entries for row in unpack(data[entry.offset : entry.offset + entry.length], entry)]


VALUES = st.text() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.none()


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=30))
def test_rows_come_back_as_they_were(values):
    rows = [orjson.dumps({"frame_index": number, "v": value}) for number, value in enumerate(values)]
    data, entries = pack(rows)

    assert read_back(data + pack_index(entries)) == rows


def test_the_file_is_plain_zstd_to_other_tools():
    rows = [a_row(n) for n in range(5)]
    data, entries = pack(rows)

    text = zstandard.ZstdDecompressor().stream_reader(data + pack_index(entries), read_across_frames=True).read()

    assert text == b"\n".join(rows) + b"\n"


def test_large_rows_are_spread_over_several_frames():
    rows = [a_row(n, 400_000) for n in range(10)]

    data, entries = pack(rows)

    assert len(entries) == 4
    assert [entry.first_frame for entry in entries] == [0, 3, 6, 9]
    assert read_back(data + pack_index(entries)) == rows


@pytest.mark.parametrize("row", [b'{"frame_index":0}\n', b"x" * (rowfile.MAX_LINE_BYTES + 1)], ids=["newline", "long"])
def test_a_row_that_would_not_come_back_is_refused(row):
    with pytest.raises(ValueError, match="expected a row"):
        pack([row])


@pytest.mark.slow
@pytest.mark.parametrize("announced", [True, False], ids=["announced size", "no size"])
def test_a_bomb_is_refused_whatever_it_announces(announced):
    bomb = zstandard.ZstdCompressor(3, write_content_size=announced).compress(b"\n" * (256 * 1024 * 1024))
    entry = IndexEntry(0, 1, 0, len(bomb))

    with pytest.raises(RowsDamaged, match="more than"):
        unpack(bomb, entry)


def test_a_frame_that_asks_for_a_huge_window_is_refused():
    settings = zstandard.ZstdCompressionParameters(window_log=27, compression_level=3)
    writer = zstandard.ZstdCompressor(compression_params=settings).compressobj()  # no size known: the window stands
    data = writer.compress(a_row(0) + b"\n") + writer.flush()

    with pytest.raises(RowsDamaged, match="does not decompress"):
        unpack(data, IndexEntry(0, 1, 0, len(data)))


def test_a_changed_byte_is_noticed_wherever_it_is():
    data, entries = pack([a_row(n) for n in range(3)])
    whole = data + pack_index(entries)

    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0x41
        try:
            found = read_back(bytes(changed))
        except RowsDamaged:
            continue
        assert found == [a_row(n) for n in range(3)], f"byte {at}"


def test_a_file_that_is_cut_off_is_refused():
    data, entries = pack([a_row(n) for n in range(3)])
    whole = data + pack_index(entries)

    for length in range(len(whole)):
        with pytest.raises(RowsDamaged):
            read_back(whole[:length])


def test_an_index_may_not_claim_more_than_its_limit():
    foot = rowfile._FOOT.pack(0, 32 * (rowfile.MAX_INDEX_BYTES // 32 + 1), b"FsRows2\n")

    with pytest.raises(RowsDamaged):
        index_bytes(foot)


@pytest.mark.parametrize(
    "entries",
    [
        [IndexEntry(0, 1, 5, 10)],
        [IndexEntry(0, 1, 0, 10), IndexEntry(1, 1, 20, 10)],
        [IndexEntry(5, 1, 0, 10), IndexEntry(1, 1, 10, 10)],
        [IndexEntry(0, 1, 0, 2**31)],
        [IndexEntry(0, 1, 0, 0)],
    ],
    ids=["gap before", "gap between", "out of order", "huge frame", "empty frame"],
)
def test_an_index_that_does_not_fit_its_file_is_refused(entries):
    index = pack_index(entries)

    with pytest.raises(RowsDamaged):
        unpack_index(index, sum(entry.length for entry in entries) + len(index))
