"""Reading a Range header."""

import pytest
from fastapi import HTTPException

from forgesyte_job_api.results.byteranges import range_of

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=900-", (900, 1000)),
        ("bytes=900-5000", (900, 1000)),
        ("bytes=-100", (900, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("Bytes = 5 - 6", (5, 7)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("frames=0-1", None),
        ("bytes=0-99999999999999999999", (0, 1000)),
        ("bytes=٣-٤", None),
    ],
)
def test_range(header, expected):
    assert range_of(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0"])
def test_a_part_that_is_not_there_is_416_with_the_size(header):
    with pytest.raises(HTTPException) as caught:
        range_of(header, SIZE)

    assert caught.value.status_code == 416
    assert caught.value.headers == {"Content-Range": "bytes */1000"}
