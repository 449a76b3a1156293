"""What staff send about suppliers and purchase orders."""

from pydantic import Field

from commerce.model import StaffModel
from commerce.purchasing.model import MAX_LINES, MAX_RECEIVED_LINES, Day, PurchaseLine, ReceivedLine


class PurchaseOrderRequest(StaffModel):
    """What to order, from whom, for which location, and when it should be there."""

    supplier_id: str = Field(min_length=1, max_length=100)
    location: str = Field(max_length=100)
    expected_on: Day
    lines: tuple[PurchaseLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    note: str = Field(default="", max_length=500)


class DeliveryRequest(StaffModel):
    """What was in the boxes, each SKU once."""

    lines: tuple[ReceivedLine, ...] = Field(min_length=1, max_length=MAX_RECEIVED_LINES)
    note: str = Field(default="", max_length=200)


class ExpectedRequest(StaffModel):
    """When the goods should be there, as the supplier says now."""

    expected_on: Day
