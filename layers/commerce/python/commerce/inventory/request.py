"""What staff send about stock."""

from datetime import date

from pydantic import Field

from commerce.inventory.model import MAX_SHARDS, MAX_UNITS
from commerce.model import StaffModel
from commerce.supply import SellingMode, SellingTerms


class AdjustmentRequest(StaffModel):
    """Units added (or taken, where negative) at a location; the shop's first one if none is named."""

    quantity: int = Field(ge=-MAX_UNITS, le=MAX_UNITS)
    reason: str = Field(min_length=1, max_length=200)
    location: str | None = Field(default=None, max_length=100)


class TransferRequest(StaffModel):
    """Units that go from one location to another."""

    quantity: int = Field(ge=1, le=MAX_UNITS)
    origin: str = Field(max_length=100)
    destination: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=200)


class PoolRequest(StaffModel):
    """Over how many rows a hot SKU's stock is spread at each location."""

    shards: int = Field(ge=2, le=MAX_SHARDS)


class PolicyRequest(StaffModel):
    """How a SKU may be sold from now on; what is left out is as if nobody had decided it."""

    mode: SellingMode = "deny"
    """`deny` sells what lies on the shelf, `backorder` also what comes again, `preorder` what comes for once."""
    cap: int = Field(default=0, ge=0, le=MAX_UNITS)
    """Units that may be sold ahead in all."""
    expected_on: date | None = None
    """When they should be there; a preorder ends with this day."""
    location: str | None = Field(default=None, max_length=100)
    """Where they will arrive; the shop's first location if none was ever named."""
    purchase_limit: int | None = Field(default=None, ge=1, le=MAX_UNITS)
    """Units that one buyer may have, over all orders."""
    low_stock: int | None = Field(default=None, ge=0, le=MAX_UNITS)
    """Up to so many free units are few; the shop's own threshold if left out."""

    def terms(self) -> SellingTerms:
        """What staff decided."""
        return SellingTerms(**{**dict(self), "location": self.location or ""})
