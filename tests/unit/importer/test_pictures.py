"""Pictures of an import."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tools.importer.drafts import Picture
from tools.importer.pictures import Pictures, size

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"/>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mug 1.svg").write_text(SVG)
    (tmp_path / "mug.svg").write_text(SVG)
    return tmp_path


def test_a_file_becomes_the_shops_own_under_a_digest_of_its_content(folder: Path) -> None:
    media = Pictures(folder, "bucket").media(Picture("pictures/mug 1.svg", "A mug"), title="Mug")
    assert media is not None
    assert media.url.startswith("/media/")
    assert media.url.endswith("/mug-1.svg")
    assert (media.alt, media.width, media.height) == ("A mug", 400, 300)


def test_an_address_stays_unless_the_folder_has_a_file_of_its_name(folder: Path) -> None:
    pictures = Pictures(folder, "bucket")
    kept = pictures.media(Picture("https://elsewhere.example/cup.svg"), title="Cup")
    own = pictures.media(Picture("https://elsewhere.example/mug.svg?v=1"), title="Mug")
    assert kept and own
    assert kept.url == "https://elsewhere.example/cup.svg"
    assert own.url.startswith("/media/")


@pytest.mark.parametrize("source", ["none.svg", "../../etc/passwd", "/etc/passwd", "javascript:alert(1)"])
def test_what_is_in_no_folder_and_at_no_address_is_left_out(folder: Path, source: str) -> None:
    assert Pictures(folder, "bucket").media(Picture(source), title="") is None


def test_without_a_bucket_files_are_left_out(folder: Path) -> None:
    assert Pictures(folder, None).media(Picture("mug.svg"), title="") is None


def test_a_picture_is_uploaded_where_its_address_leads_with_its_type(folder: Path) -> None:
    with mock_aws():
        storage = boto3.client("s3", region_name="us-east-1")
        storage.create_bucket(Bucket="bucket")
        pictures = Pictures(folder, "bucket", storage)
        media = pictures.media(Picture("mug.svg"), title="Mug")
        assert media is not None
        for _ in range(2):
            pictures.upload(Picture("mug.svg"))
        [stored] = storage.list_objects_v2(Bucket="bucket")["Contents"]
        assert "/" + stored["Key"] == media.url
        head = storage.head_object(Bucket="bucket", Key=stored["Key"])
        assert head["ContentType"] == "image/svg+xml"
        assert "immutable" in head["CacheControl"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big"), (640, 480)),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0" + b"\x7f\x02\0" + b"\xdf\x01\0", (640, 480)),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 10 + b"\x80\x02\xe0\x01", (640, 480)),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0/" + (639 | 479 << 14).to_bytes(4, "little"), (640, 480)),
        ("a.jpg", b"\xff\xd8", (None, None)),
        ("a.svg", b"<svg/>", (None, None)),
    ],
)
def test_sizes_are_read_from_the_file(
    tmp_path: Path, name: str, content: bytes, expected: tuple[int | None, int | None]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert size(tmp_path / name) == expected
