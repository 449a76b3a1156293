"""The order and its life. Personal data stands in `buyer` and `shipping_address` only, which are stored sealed."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import Field

from commerce.contact import Buyer, PostalAddress
from commerce.discounts.model import OrderDiscount
from commerce.events import CancelReason
from commerce.events import OrderLine as EventLine
from commerce.ids import order_label
from commerce.model import Model
from commerce.money import Currency
from commerce.pricing.model import PricedLine, Total, amount_of

Status = Literal[
    "pending_payment",
    "confirmed",
    "picked",
    "packed",
    "ready_to_ship",
    "shipped",
    "delivered",
    "canceled",
    "lost",
]

NEXT: dict[Status, frozenset[Status]] = {
    "pending_payment": frozenset({"confirmed", "canceled"}),
    "confirmed": frozenset({"picked", "canceled"}),
    "picked": frozenset({"packed", "canceled"}),
    "packed": frozenset({"ready_to_ship", "canceled"}),
    "ready_to_ship": frozenset({"shipped", "canceled"}),
    "shipped": frozenset({"delivered", "lost"}),
    "delivered": frozenset(),
    "canceled": frozenset(),
    "lost": frozenset(),
}
"""Which status may follow which. Nothing follows a terminal one."""

CANCELABLE_BY_BUYER: frozenset[Status] = frozenset({"pending_payment", "confirmed", "picked", "packed"})
CANCELABLE: frozenset[Status] = CANCELABLE_BY_BUYER | {"ready_to_ship"}
TERMINAL: frozenset[Status] = frozenset({"delivered", "canceled", "lost"})

FOLLOWED: frozenset[Status] = frozenset({"confirmed", "ready_to_ship", "delivered", "canceled", "lost"})
"""An order that comes to one of these is ahead of its execution, until that has followed."""


class Allocation(Model):
    """From where a line's units come."""

    location: str
    quantity: int
    shard: int = 0
    """The row there, where the SKU was pooled: what is released or shipped leaves the row that gave it."""
    backordered: int = 0
    """How many of them were not there yet when the order was placed."""


class OrderLine(PricedLine):
    """A line that was bought. `original` never changes; `quantity` is what is left of it after cancellations."""

    original: int
    fulfilled: int = 0
    returned: int = 0
    allocations: tuple[Allocation, ...] = ()
    expected_on: date | None = None
    """When its backordered units were expected, as the buyer was told."""
    limited: bool = False
    """Whether its units count towards what one buyer may have of the SKU."""

    @property
    def backordered(self) -> int:
        """Units that were not there yet when the order was placed."""
        return sum(allocation.backordered for allocation in self.allocations)


class ShippingChoice(Model):
    """The shipping option the buyer chose. Times in RFC 3339."""

    option_id: str
    title: str
    carrier: str
    amount: int
    earliest: str
    latest: str


class Label(Model):
    """What the carrier sold for a parcel."""

    id: str
    """The carrier's id of the shipment."""
    carrier: str
    tracking_number: str
    tracking_url: str
    label_url: str


ShipmentStatus = Literal["pending", "picked", "packed", "ready_to_ship", "shipped", "delivered", "lost"]

_PROGRESS: dict[ShipmentStatus, Status] = {
    "pending": "confirmed",
    "picked": "picked",
    "packed": "packed",
    "ready_to_ship": "ready_to_ship",
    "shipped": "shipped",
    "delivered": "delivered",
    "lost": "lost",
}
"""What a parcel makes of an order whose other parcels are at least as far."""


class ShipmentLine(Model):
    """Units of a line of the order."""

    line_id: str
    quantity: int


class Shipment(Model):
    """One parcel: what one location gives to an order, and how far it has come."""

    location: str
    lines: tuple[ShipmentLine, ...]
    status: ShipmentStatus = "pending"
    weight_grams: int | None = None
    """What the packed parcel weighs, as the warehouse's scales say."""
    label: Label | None = None
    shipped_at: str | None = None
    ended_at: str | None = None
    """When it was delivered or given up for lost, as the carrier says."""


def shipments_of(lines: Iterable[OrderLine]) -> tuple[Shipment, ...]:
    """One parcel per location that gives goods to the lines, in order of first mention."""
    given: dict[str, dict[str, int]] = {}
    for line in lines:
        for allocation in line.allocations:
            units = given.setdefault(allocation.location, {})
            units[line.id] = units.get(line.id, 0) + allocation.quantity
    return tuple(
        Shipment(
            location=location,
            lines=tuple(ShipmentLine(line_id=line_id, quantity=quantity) for line_id, quantity in units.items()),
        )
        for location, units in given.items()
    )


class FulfilmentEvent(Model):
    """Append-only: something happened to the goods. Source: UCP types/fulfillment_event.json."""

    id: str
    occurred_at: str
    type: str
    line_items: tuple[tuple[str, int], ...]
    """(line id, quantity)."""
    tracking_number: str | None = None
    tracking_url: str | None = None
    carrier: str | None = None
    description: str | None = None


class Adjustment(Model):
    """Append-only: money or goods came back. Signed: negative is money to the buyer (UCP types/adjustment.json)."""

    id: str
    type: Literal["refund", "return", "cancellation"]
    occurred_at: str
    status: Literal["pending", "completed", "failed"]
    amount: int = 0
    line_items: tuple[tuple[str, int], ...] = ()
    description: str | None = None


class Order(Model):
    """The whole order as it is stored (item `ORDER#<id>`/`ORDER`)."""

    id: str
    checkout_id: str
    attempt: int
    customer: str | None = None
    """The signed-in buyer's subject; None for a guest."""
    status: Status
    moved_at: str | None = None
    """When it came to its status."""
    version: int = 1
    currency: Currency
    lines: tuple[OrderLine, ...]
    totals: tuple[Total, ...]
    buyer: Buyer = Buyer()
    shipping_address: PostalAddress = PostalAddress()
    unsealed: bool = Field(default=False, exclude=True)
    """Whether it was read from where nothing is sealed: stored by a release that sealed nothing, or erased."""
    country: str | None = None
    """Where it is taxed (ISO 3166-1 alpha-2), and the state or province: kept when nobody knows any more who bought."""
    region: str | None = None
    buyer_key: str | None = None
    """Under which key the buyer's purchases are counted, where units of a line or uses of a discount are limited."""
    discounts: tuple[OrderDiscount, ...] = ()
    shipping: ShippingChoice
    placed_at: str
    hold_until: str
    """Until then the stock is held while payment has not come."""
    payment_intent: str | None = None
    escalation_url: str | None = None
    """Where the buyer's bank waits for a confirmation, as long as it does."""
    cancel_reason: CancelReason | None = None
    shipments: tuple[Shipment, ...] = ()
    """Its parcels, one per location that gives goods."""
    events: tuple[FulfilmentEvent, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    settled: bool = False
    erased_at: str | None = None
    """When its buyer was erased: nobody knows any more who bought it."""
    task_token: str | None = None
    """The token of the workflow state that waits now; written by the workflow alone."""
    task_state: str | None = None

    @property
    def holder(self) -> str | None:
        """Whose key seals what it tells of the buyer, if any does."""
        return None if self.unsealed else self.checkout_id

    @property
    def total(self) -> int:
        """What the buyer agreed to pay, in minor units."""
        return amount_of(self.totals, "total")

    def awaited(self, line: OrderLine) -> int:
        """Units of the line that were sold ahead and that the warehouse has not picked yet."""
        pending = {shipment.location for shipment in self.shipments if shipment.status == "pending"}
        if self.status == "canceled":
            return 0
        return sum(one.backordered for one in line.allocations if one.location in pending)

    @property
    def label(self) -> str:
        """What people call the order, on e-mails and parcels."""
        return order_label(self.id)

    def event_lines(self) -> tuple[EventLine, ...]:
        """The lines as events carry them."""
        return tuple(
            EventLine(
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                total=amount_of(line.totals, "total"),
            )
            for line in self.lines
        )


def status_after(order: Order, shipments: Iterable[Shipment]) -> Status | None:
    """Where a paid order goes once its parcels are `shipments`: as far as the last of them. None where it stays.

    So it is delivered when all parcels have come to their end and any of them arrived, and lost when none did.
    """
    reached = {shipment.status for shipment in shipments}
    status = next(status for stage, status in _PROGRESS.items() if stage in reached)
    return None if status == order.status else status
