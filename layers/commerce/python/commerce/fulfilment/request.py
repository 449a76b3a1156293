"""What the warehouse and support send about an order."""

from typing import Literal

from pydantic import Field

from commerce.fulfilment.model import MAX_WEIGHT_GRAMS, Ending, PickedLine
from commerce.model import OpenModel


class PickRequest(OpenModel):
    """The picker's count: every line of the order, once."""

    lines: tuple[PickedLine, ...] = Field(min_length=1, max_length=100)


class PackRequest(OpenModel):
    """The closed parcel on the scales."""

    weight_grams: int = Field(ge=1, le=MAX_WEIGHT_GRAMS)


class ParcelRequest(OpenModel):
    """What staff know of a parcel that its carrier is silent about. `lost` gives the buyer the money back."""

    status: Ending


StaffReason = Literal["buyer_request", "merchant_request", "fraud"]


class CancelRequest(OpenModel):
    """Why staff cancel an order; the buyer's e-mail says it."""

    reason: StaffReason = "merchant_request"
