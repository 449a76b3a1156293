"""What the warehouse and support send about an order."""

from typing import Literal

from pydantic import Field

from commerce.fulfilment.model import MAX_WEIGHT_GRAMS, Ending, PickedLine
from commerce.model import StaffModel


class OfParcel(StaffModel):
    """Which parcel of the order is meant."""

    location: str | None = Field(default=None, max_length=32)
    """The location it leaves from. Not needed where the order has one parcel."""


class PickRequest(OfParcel):
    """The picker's count: every line of the parcel, once."""

    lines: tuple[PickedLine, ...] = Field(min_length=1, max_length=100)


class PackRequest(OfParcel):
    """The closed parcel on the scales."""

    weight_grams: int = Field(ge=1, le=MAX_WEIGHT_GRAMS)


class HandOverRequest(OfParcel):
    """The parcel stands ready for the carrier."""


class ParcelRequest(OfParcel):
    """What staff know of a parcel that its carrier is silent about. `lost` gives the buyer the money for it back."""

    status: Ending


StaffReason = Literal["buyer_request", "merchant_request", "fraud"]


class CancelRequest(StaffModel):
    """Why staff cancel an order; the buyer's e-mail says it."""

    reason: StaffReason = "merchant_request"
