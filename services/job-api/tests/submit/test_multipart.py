"""The streaming form reader, with network chunks cut anywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.submit.multipart import read_form

BOUNDARY = "the-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


async def read(body: bytes, size: int, *, max_field_bytes: int = 1000):
    """Read a form cut into chunks; gives its texts, its files and the largest piece a file came in."""
    files, largest = {}, 0

    async def chunks():
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def take_file(part, data):
        nonlocal largest
        files[part.name] = b""
        async for piece in data:
            largest = max(largest, len(piece))
            files[part.name] += piece

    form = read_form(
        chunks(),
        TYPE,
        is_file=lambda part: part.filename is not None,
        take_file=take_file,
        max_field_bytes=max_field_bytes,
    )
    return [text async for text in form], files, largest


near_boundary = st.lists(
    st.sampled_from([b"\r\n", b"--", b"\r\n--the-boundar", b"\r", b"x", b"\x00\xff"]), max_size=40
).map(b"".join)


@settings(max_examples=60)
@given(data=near_boundary, text=st.text(max_size=50), size=st.integers(1, 200))
async def test_bytes_arrive_as_they_were_sent_however_the_network_cuts_them(data, text, size):
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="options"\r\n\r\n'.encode()
        + text.encode()
        + f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="ä.mp4"\r\n\r\n'.encode()
        + data
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )

    texts, files, largest = await read(body, size)

    assert texts == [("options", text)]
    assert files == {"video": data}
    assert largest <= size + len(BOUNDARY) + 4


def a_form(parts: int = 1, data: bytes = b"x", end: str = f"--{BOUNDARY}--\r\n") -> bytes:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n'.encode() + data + b"\r\n"
    return part * parts + end.encode()


BAD = {
    "cut off": (a_form(end=""), "ends before"),
    "too many parts": (a_form(parts=65), "more than 64"),
    "field too large": (a_form(data=b"x" * 1001), "larger than 1000"),
    "part without name": (a_form().replace(b'; name="a"', b""), "no name"),
    "headers without end": (f"--{BOUNDARY}\r\n".encode() + b"X: " + b"y" * 100_000, "not a multipart form"),
    "nothing": (b"", "ends before"),
}


@pytest.mark.parametrize("size", [7, 100_000])
@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
async def test_a_bad_form_is_refused(body, said, size):
    with pytest.raises(ForgeSyteError, match=said) as caught:
        await read(body, size)

    assert caught.value.code is Code.REQUEST_INVALID
