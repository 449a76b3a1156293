"""Pictures of an import: files become the shop's own under /media, addresses stay where they are."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from commerce.catalog.model import Media
from tools.importer.drafts import Picture

_CACHED = "public, max-age=31536000, immutable"
"""The address holds a digest of the content, so another picture has another address."""


@dataclass(frozen=True)
class File:
    """A picture in a folder, with the address that it will have."""

    path: Path
    url: str


@dataclass
class Pictures:
    """Finds pictures in `folder` and puts them into the media bucket. Without a bucket, files are left out."""

    folder: Path | None
    bucket: str | None
    storage: Any = None
    """A client of S3."""
    _known: dict[str, File | None] = field(default_factory=dict)

    def media(self, picture: Picture, *, title: str) -> Media | None:
        """The picture as the product will have it; None for a file that is not there."""
        alt = (picture.alt or title)[:255]
        file = self._file(picture.source)
        if file:
            width, height = size(file.path)
            return Media(url=file.url, alt=alt, width=width, height=height)
        if re.match(r"https?://\S+$", picture.source) and len(picture.source) <= 1000:
            return Media(url=picture.source, alt=alt)
        return None

    def upload(self, picture: Picture) -> None:
        """Puts the picture's file into the bucket. Doing it twice changes nothing: its key is its content's digest."""
        if file := self._file(picture.source):
            self.storage.put_object(
                Bucket=self.bucket,
                Key=file.url.removeprefix("/"),
                Body=file.path.read_bytes(),
                ContentType=mimetypes.guess_type(file.path.name)[0] or "application/octet-stream",
                CacheControl=_CACHED,
            )

    def _file(self, source: str) -> File | None:
        if source not in self._known:
            self._known[source] = self._find(source) if self.folder and self.bucket else None
        return self._known[source]

    def _find(self, source: str) -> File | None:
        """By its path below the folder, else by its name alone, which is what an address ends in."""
        assert self.folder is not None
        root = self.folder.resolve()
        for candidate in (source, Path(unquote(urlsplit(source).path)).name):
            path = (root / candidate).resolve()
            if path.is_relative_to(root) and path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name)
                return File(path, f"/media/{digest}/{name}")
        return None


def size(path: Path) -> tuple[int | None, int | None]:
    """Width and height in pixels of an SVG, PNG or WebP file; unknown for others."""
    head = path.read_bytes()[:1024]
    if path.suffix == ".svg":
        box = re.search(rb'viewBox="0 0 (\d+) (\d+)"', head)
        return (int(box[1]), int(box[2])) if box else (None, None)
    if head.startswith(b"\x89PNG"):
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[8:12] == b"WEBP":
        return _webp_size(head)
    return None, None


def _webp_size(head: bytes) -> tuple[int | None, int | None]:
    """Source: RFC 9649, sections 2.5 to 2.7."""
    match head[12:16]:
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return (
                int.from_bytes(head[26:28], "little") & 0x3FFF,
                int.from_bytes(head[28:30], "little") & 0x3FFF,
            )
    return None, None
