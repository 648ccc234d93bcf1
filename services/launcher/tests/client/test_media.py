import pytest

from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.client.media import kind_of, media_type_of

PNG = b"\x89PNG\r\n\x1a\n...."


@pytest.mark.parametrize(
    ("name", "head", "kind", "media_type"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.JPG", b"\xff\xd8\xff\xe0........", "image", "image/jpeg"),
        ("a.tif", b"II*\x00........", "image", "image/tiff"),
        ("a.webp", b"RIFF....WEBP", "image", "image/webp"),
        ("no-ending", PNG, "image", "application/octet-stream"),
        ("scan.dat", b"MM\x00*........", "image", "application/octet-stream"),
        ("sound.wav", b"RIFF....WAVE", "video", "application/octet-stream"),
        ("a.mp4", b"....ftypisom", "video", "video/mp4"),
        ("a.unknown", b"....ftypisom", "video", "application/octet-stream"),
        ("named-video.mp4", PNG, "video", "video/mp4"),
        ("named-image.png", b"....ftypisom", "image", "image/png"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_name_chooses_the_route_or_else_the_first_bytes(tmp_path, name, head, kind, media_type):
    file = tmp_path / name
    file.write_bytes(head)

    assert kind_of(file) == kind
    assert media_type_of(file, kind) == media_type


def test_an_empty_file_is_refused_before_anything_is_started(tmp_path):
    file = tmp_path / "a.mp4"
    file.touch()

    with pytest.raises(ForgeSyteError, match="empty"):
        kind_of(file)
