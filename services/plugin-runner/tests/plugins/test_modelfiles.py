"""What is found wrong with a model file, on real files."""

import hashlib
import os

import pytest

from forgesyte_contracts.plugins import ModelFile
from forgesyte_plugin_runner.plugins.modelfiles import fault_of

GOOD = b"\x08\x07\x12\x07pytorch\x1a\x052.1.0" + bytes(range(256))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.onnx"


def fault(path, **facts: str) -> str | None:
    return fault_of(ModelFile(name="weights", path=str(path), **facts))


CONTENTS = {
    "empty": (b"", "truncated or corrupt: it has 0 bytes"),
    "five bytes": (b"\x08\x07\x12\x07p", "truncated or corrupt: it has 5 bytes"),
    "fifteen bytes": (GOOD[:15], "truncated or corrupt: it has 15 bytes"),
    "a page": (b"<!DOCTYPE html><html>Please log in</html>", "is text, as a pointer file"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "is text, as a pointer file"),
    "text cut in a letter": ("Dies ist ein Te\u00e4".encode(), "is text, as a pointer file"),
}


@pytest.mark.parametrize(("content", "words"), CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_no_model_is_named_with_what_is_wrong_and_what_to_do(path, content, words):
    path.write_bytes(content)

    found = fault(path)

    assert words in found
    assert str(path) in found
    assert "put " in found


@pytest.mark.parametrize(
    "content", [GOOD, b"GGUF\x03" + bytes(20), b"PK\x03\x04" + bytes(20)], ids=["onnx", "gguf", "zip"]
)
def test_a_good_file_has_no_fault(path, content):
    path.write_bytes(content)

    assert fault(path) is None


def test_the_sum_is_compared_when_it_is_given_in_either_case(path):
    path.write_bytes(GOOD)
    right = hashlib.sha256(GOOD).hexdigest()

    assert fault(path, sha256=right) is None
    assert fault(path, sha256=right.upper()) is None
    wrong = fault(path, sha256="0" * 64)
    assert right not in wrong, "a manifest may name any file, and its reason is shown to every client"
    assert "0" * 64 in wrong


def test_a_missing_file_a_folder_and_a_pipe_each_have_their_own_reason_and_never_block(path, tmp_path):
    assert "is missing; put it there" in fault(path)
    assert "is not a regular file" in fault(tmp_path)
    os.mkfifo(path)
    assert "is not a regular file" in fault(path)


def test_a_relative_path_is_refused_because_a_sandbox_has_its_own_folder():
    assert "no absolute path" in fault("weights.onnx")
