"""What staff send about stock."""

from pydantic import Field

from commerce.inventory.model import MAX_SHARDS, MAX_UNITS
from commerce.model import OpenModel


class AdjustmentRequest(OpenModel):
    """Units added (or taken, where negative) at a location; the shop's first one if none is named."""

    quantity: int = Field(ge=-MAX_UNITS, le=MAX_UNITS)
    reason: str = Field(min_length=1, max_length=200)
    location: str | None = Field(default=None, max_length=100)


class TransferRequest(OpenModel):
    """Units that go from one location to another."""

    quantity: int = Field(ge=1, le=MAX_UNITS)
    origin: str = Field(max_length=100)
    destination: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=200)


class PoolRequest(OpenModel):
    """Over how many rows a hot SKU's stock is spread at each location."""

    shards: int = Field(ge=2, le=MAX_SHARDS)
