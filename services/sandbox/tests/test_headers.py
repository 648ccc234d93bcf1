"""The readers of foreign bytes against all kinds of nonsense: they return a header, or refuse in their own words."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgesyte_sandbox.child.media.headers.image_header import BrokenHeader, ImageHeader, read_header
from forgesyte_sandbox.child.media.headers.mp4_boxes import missing_index
from forgesyte_sandbox.child.media.headers.signature import recognise
from forgesyte_sandbox.child.media.orientation import UPRIGHT, turn_of_exif, turn_of_matrix
from forgesyte_sandbox.child.media.sparse_file import SparseFile

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff\xe0", "webp": b"RIFF\0\0\0\0WEBP", "tiff": b"II*\0"}
SUFFIX = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tiff"}
IMAGE = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)


@pytest.mark.parametrize("codec", MAGIC)
def test_a_header_gives_the_size(codec):
    _, coded = cv2.imencode(SUFFIX[codec], IMAGE)

    header = read_header(codec, coded.tobytes())

    assert (header.width, header.height, header.channels, header.bits) == (47, 33, 3, 8)


@pytest.mark.parametrize("codec", MAGIC)
@given(data=st.binary(max_size=400))
def test_noise_behind_a_signature_is_a_header_or_a_refusal(codec, data):
    try:
        header = read_header(codec, MAGIC[codec] + data)
    except BrokenHeader:
        return
    assert isinstance(header, ImageHeader)
    assert header.width > 0


@pytest.mark.parametrize("codec", MAGIC)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255), keep=st.floats(0.01, 1))
def test_a_spoiled_header_is_a_header_or_a_refusal(codec, at, value, keep):
    _, coded = cv2.imencode(SUFFIX[codec], IMAGE)
    data = bytearray(coded.tobytes())
    data[at % len(data)] = value

    try:
        read_header(codec, bytes(data[: int(len(data) * keep)]))
    except BrokenHeader as error:
        assert str(error).startswith("its ")


@given(data=st.binary(max_size=5000))
def test_anything_gets_a_name(data):
    assert recognise(data).name


@given(data=st.binary(max_size=300))
def test_boxes_of_noise_are_walked_to_an_end(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("boxes") / "a"
    path.write_bytes(data)
    file = SparseFile(path)

    missing_index(file)

    file.close()


@given(data=st.binary(max_size=60))
def test_any_matrix_is_a_turn(data):
    turn = turn_of_matrix(data)

    assert turn.clockwise in (0, 90, 180, 270)


def test_a_matrix_without_area_is_upright():
    assert turn_of_matrix(struct.pack("=9i", 0, 0, 0, 0, 0, 0, 0, 0, 1 << 30)) == UPRIGHT


@pytest.mark.parametrize("orientation", [0, 1, 9, 255])
def test_unknown_orientations_are_upright(orientation):
    assert turn_of_exif(orientation) == UPRIGHT


class TestSparseFile:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(bytes(range(100)))
        file = SparseFile(path, holes=((40, 60),))
        yield file
        file.close()

    def test_reads_stop_before_a_hole(self, file):
        assert file.read(100) == bytes(range(40))
        assert file.is_at_hole
        assert not file.saw_hole

    def test_a_read_in_a_hole_is_noticed(self, file):
        file.seek(59)
        file.read(1)

        assert file.saw_hole

    def test_jumping_over_a_hole_is_not(self, file):
        file.seek(-40, 2)

        assert file.read(1000) == bytes(range(60, 100))
        assert not file.saw_hole

    def test_the_size_is_returned_when_ffmpeg_asks_for_it(self, file):
        assert file.seek(0, 0x10000) == 100

    def test_positions_outside_the_file_are_refused(self, file):
        with pytest.raises(ValueError, match="inside the file"):
            file.seek(-1)
