"""Readers of tables meet whatever a stranger sends: they end, quickly, and raise nothing."""

import io
from contextlib import closing

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgesyte_sandbox.child.media.headers.icc import unusual_profile
from forgesyte_sandbox.child.media.headers.jpeg_row import is_jpeg_row
from forgesyte_sandbox.child.media.headers.read_tables import read_tables
from forgesyte_sandbox.child.media.headers.tables import Tables
from forgesyte_sandbox.child.media.sparse_file import SparseFile

KINDS = {
    "mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "avi": "mpeg4", "mpegts": "mpeg2video", "flv": "flv",
    "asf": "mpeg4",
}  # fmt: skip
KEYS_OF_WINDOWS_MEDIA = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")


def a_file(kind: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(KINDS[kind], rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for value in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), value, np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


FILES = {kind: a_file(kind) for kind in KINDS}


def tables_of(folder, data: bytes, holes=()) -> Tables:
    path = folder / "a.bin"
    path.write_bytes(data)
    with closing(SparseFile(path, holes=holes)) as file:
        found = read_tables(file)
        assert not file.saw_hole
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_file_exceeds_nothing(folder, kind):
    found = tables_of(folder, FILES[kind])

    assert (found.excess(), found.encryption, found.cut) == (None, None, None)


def test_a_scrambled_stream_of_few_packets_is_encrypted_though_its_tables_are_clear(folder):
    data = bytearray(FILES["mpegts"])
    for at in range(0, len(data), 188):
        if data[at + 1] & 0x1F == 1 and data[at + 2] == 0:  # the video's packets
            data[at + 3] |= 0x80

    assert "scrambled" in tables_of(folder, bytes(data)).encryption


def test_a_windows_media_file_whose_header_names_keys_is_encrypted(folder):
    data = FILES["asf"]
    keys = KEYS_OF_WINDOWS_MEDIA + (24).to_bytes(8, "little")

    assert "rights management" in tables_of(folder, data[:30] + keys + data[30:]).encryption


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)), max_size=6))
def test_a_spoiled_file_is_read_without_an_error(folder, kind, changes):
    data = bytearray(FILES[kind])
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new

    tables_of(folder, bytes(data)).excess()


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25)
@given(start=st.floats(0.1, 1), end=st.floats(0.1, 1))
def test_what_was_not_kept_is_not_looked_at(folder, kind, start, end):
    size = len(FILES[kind])

    tables_of(folder, FILES[kind], holes=[sorted((int(start * size), int(end * size)))]).excess()


@given(data=st.binary(max_size=400))
def test_noise_is_no_profile_and_no_row_of_pictures(data):
    unusual_profile(data)
    is_jpeg_row(b"\xff\xd8\xff" + data)
