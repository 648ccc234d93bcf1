from forgesyte_plugin_runner.attempt.fingerprint import END_BYTES, fingerprint


def test_equal_bytes_have_one_name_and_different_ones_have_others(tmp_path):
    long = bytes(3 * END_BYTES)
    contents = [b"", b"a", b"b", long, long[:-1] + b"x", b"x" + long[1:], long + b"\0"]
    files = [tmp_path / str(number) for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    (tmp_path / "copy").write_bytes(long)

    names = [fingerprint(file) for file in files]

    assert len(set(names)) == len(contents)
    assert fingerprint(tmp_path / "copy") == names[3]
