"""What staff send about stock counts."""

from typing import Annotated

from pydantic import Field

from commerce.model import StaffModel
from commerce.stockroom.model import MAX_ENTRIES, MAX_SKUS, Entry


class OpenCountRequest(StaffModel):
    """A new count of a location: of these SKUs, or of whatever is entered where none are listed."""

    location: str = Field(max_length=100)
    skus: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(default=(), max_length=MAX_SKUS)
    note: str = Field(default="", max_length=200)


class EntriesRequest(StaffModel):
    """What somebody counted. A SKU that was entered before is counted again."""

    entries: tuple[Entry, ...] = Field(min_length=1, max_length=MAX_ENTRIES)
