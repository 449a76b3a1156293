"""Suppliers and purchase orders, and the pure rules on them. Costs are minor units of the supplier's currency."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from commerce.contact import Email
from commerce.errors import Conflict, Invalid
from commerce.inventory.model import Incoming, Part
from commerce.model import Model, StaffModel, written
from commerce.money import Amount, Currency

MAX_LINES = 90
"""Of a purchase order. Sending it writes each line's incoming stock in one transaction, and that holds 100 actions."""

MAX_RECEIVED_LINES = 31
"""Of one delivery: a line takes three of the 100 actions (stock, movement, incoming), the order and its news four."""

MAX_DELIVERIES = 100
"""Of a purchase order, which remembers all of them."""

MAX_QUANTITY = 1_000_000
"""Of a line."""


def _day_of_the_calendar(text: str) -> str:
    date.fromisoformat(text)
    return text


Day = Annotated[
    str, written(r"^\d{4}-\d{2}-\d{2}$", "use a day, such as 2026-12-24"), AfterValidator(_day_of_the_calendar)
]
"""A date, `2026-12-24`; it sorts as text."""

SupplierStatus = Literal["active", "archived"]


class SupplierContent(StaffModel):
    """What staff decide about a supplier."""

    name: str = Field(min_length=1, max_length=100)
    currency: Currency
    """In which it sells."""
    email: Email | None = Field(default=None, max_length=254)
    """Where it takes orders."""
    note: str = Field(default="", max_length=500)


class Supplier(Model):
    """Whom the shop buys from. Archived, it gets no new orders; those it has go on."""

    id: str
    version: int = 1
    status: SupplierStatus = "active"
    name: str
    currency: Currency
    email: str | None = None
    note: str = ""


PurchaseStatus = Literal["draft", "sent", "partly_received", "received", "closed", "canceled"]

Ending = Literal["closed", "canceled"]
"""How an order ends that does not come whole."""

NEXT: dict[PurchaseStatus, frozenset[PurchaseStatus]] = {
    "draft": frozenset({"draft", "sent", "canceled"}),
    "sent": frozenset({"sent", "partly_received", "received", "canceled"}),
    "partly_received": frozenset({"partly_received", "received", "closed"}),
    "received": frozenset(),
    "closed": frozenset(),
    "canceled": frozenset(),
}
"""Which status may follow which. `closed` is what was received in part and will not be completed."""

OPEN: frozenset[PurchaseStatus] = frozenset({"sent", "partly_received"})
"""Goods are on their way."""


class PurchaseLine(StaffModel):
    """A SKU that is ordered."""

    sku: str = Field(min_length=1, max_length=64)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)
    unit_cost: Amount
    """Minor units of the order's currency."""


class OrderedLine(Model):
    """A line as the order keeps it."""

    sku: str
    quantity: int
    unit_cost: int
    received: int = 0

    @property
    def outstanding(self) -> int:
        """Units that have not come."""
        return self.quantity - self.received


class ReceivedLine(StaffModel):
    """Units of a SKU in one delivery."""

    sku: str = Field(min_length=1, max_length=64)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class Delivery(Model):
    """What came at one time. Append-only."""

    id: str
    received_at: str
    received_by: str
    note: str
    """The supplier's delivery note, or what else staff want to find it by."""
    lines: tuple[ReceivedLine, ...]

    @property
    def units(self) -> int:
        """Units that came, over all SKUs."""
        return sum(line.quantity for line in self.lines)


class PurchaseOrder(Model):
    """What was ordered from a supplier for one location, as it is stored. Times in RFC 3339."""

    id: str
    supplier_id: str
    currency: Currency
    location: str
    """Where the goods go."""
    status: PurchaseStatus
    version: int = 1
    lines: tuple[OrderedLine, ...]
    """Each SKU once."""
    expected_on: Day
    note: str = ""
    created_at: str
    created_by: str
    sent_at: str | None = None
    ended_at: str | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def label(self) -> str:
        """What people call the order: `PO-7K2M9QXA`."""
        return f"PO-{self.id.removeprefix('po_')[:8].upper()}"

    @property
    def cost(self) -> int:
        """What was ordered costs, in minor units."""
        return sum(line.quantity * line.unit_cost for line in self.lines)

    @property
    def units(self) -> int:
        """Units ordered."""
        return sum(line.quantity for line in self.lines)

    @property
    def received(self) -> int:
        """Units that have come."""
        return sum(line.received for line in self.lines)


def incoming(order: PurchaseOrder) -> dict[str, Incoming]:
    """What is on its way by SKU; nothing of an order that is not sent yet, or has ended."""
    if order.status not in OPEN:
        return {}
    return {
        line.sku: Incoming(location=order.location, quantity=line.outstanding, expected_on=order.expected_on)
        for line in order.lines
        if line.outstanding
    }


def ordered(lines: Iterable[PurchaseLine]) -> tuple[OrderedLine, ...]:
    """The lines of an order of which nothing has come."""
    return tuple(OrderedLine(sku=line.sku, quantity=line.quantity, unit_cost=line.unit_cost) for line in lines)


def check_receivable(order: PurchaseOrder, lines: Iterable[ReceivedLine]) -> None:
    """Raises Conflict where no delivery is expected, or more comes than was ordered, and Invalid for a wrong line."""
    if order.status not in OPEN:
        raise Conflict(f"the purchase order is {order.status}; nothing of it is on its way")
    if len(order.deliveries) >= MAX_DELIVERIES:
        raise Conflict(f"{order.label} has {MAX_DELIVERIES} deliveries; close it, and order the rest anew")
    outstanding = {line.sku: line.outstanding for line in order.lines}
    seen: set[str] = set()
    for position, line in enumerate(lines):
        path = f"$.lines[{position}]"
        if line.sku not in outstanding:
            raise Invalid(f"{order.label} has no line of {line.sku}", path=f"{path}.sku")
        if line.sku in seen:
            raise Invalid(f"{line.sku} is named twice", path=f"{path}.sku")
        if line.quantity > outstanding[line.sku]:
            raise Conflict(
                f"{outstanding[line.sku]} units of {line.sku} are still to come, not {line.quantity}; "
                "receive these, and put what came beyond them into stock by an adjustment, or send it back",
                path=f"{path}.quantity",
            )
        seen.add(line.sku)


def with_delivery(order: PurchaseOrder, delivery: Delivery) -> PurchaseOrder:
    """The order once the delivery has come."""
    came = {line.sku: line.quantity for line in delivery.lines}
    lines = tuple(
        line.model_copy(update={"received": line.received + came.get(line.sku, 0)}) for line in order.lines
    )
    complete = not any(line.outstanding for line in lines)
    return order.model_copy(
        update={
            "status": "received" if complete else "partly_received",
            "lines": lines,
            "deliveries": (*order.deliveries, delivery),
            "ended_at": delivery.received_at if complete else None,
        }
    )


def parts(order: PurchaseOrder, lines: Iterable[ReceivedLine]) -> tuple[Part, ...]:
    """What goes onto the shelves."""
    return tuple(Part(sku=line.sku, location=order.location, quantity=line.quantity) for line in lines)
