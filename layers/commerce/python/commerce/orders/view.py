"""The order as the protocol shows it. Source: UCP 2026-08-25, shopping/order.json and types/order_line_item.json."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from commerce.carts.view import Item
from commerce.contact import PostalAddress
from commerce.messages import Message
from commerce.model import Model
from commerce.orders.model import Adjustment, FulfilmentEvent, Order, OrderLine, Shipment
from commerce.pricing.model import Total
from commerce.protocol import ORDER, Envelope, envelope


class Quantity(Model):
    """`original` was bought, `total` is what is still to come or came, `fulfilled` has left the shop."""

    original: int
    total: int
    fulfilled: int


class Awaited(Model):
    """Units of a line that were sold ahead, and when they were expected, if the shop knew."""

    quantity: int
    expected_on: date | None


class OrderLineItem(Model):
    """A line that was bought. It never disappears: a canceled one is `removed`."""

    id: str
    item: Item
    quantity: Quantity
    totals: tuple[Total, ...]
    status: Literal["processing", "partial", "fulfilled", "removed"]
    awaited: Awaited | None
    """What of it was not in stock when it was ordered, until the warehouse has it in its hands."""


class LineQuantity(Model):
    """So many units of a line; negative where they are taken off."""

    id: str
    quantity: int


class Expectation(Model):
    """What the buyer may expect to come, where to, and when."""

    id: str
    line_items: tuple[LineQuantity, ...]
    method_type: Literal["shipping"] = "shipping"
    destination: PostalAddress
    description: str
    fulfillable_on: str | None
    """`now`, or from when on it can be sent; null where the shop waits for goods and does not know."""


class FulfillmentEvent(Model):
    """Something that happened to the goods."""

    id: str
    occurred_at: str
    type: str
    line_items: tuple[LineQuantity, ...]
    tracking_number: str | None
    tracking_url: str | None
    carrier: str | None
    description: str | None


class Fulfillment(Model):
    """What is promised, and what happened."""

    expectations: tuple[Expectation, ...]
    events: tuple[FulfillmentEvent, ...]


class AdjustmentEntry(Model):
    """Money or goods that came back. Amounts and quantities are signed: negative is money to the buyer."""

    id: str
    type: str
    occurred_at: str
    status: Literal["pending", "completed", "failed"]
    line_items: tuple[LineQuantity, ...] | None
    totals: tuple[Total, ...] | None
    description: str | None


class OrderResponse(Model):
    """The whole order, as its buyer sees it."""

    ucp: Envelope
    id: str
    label: str
    checkout_id: str
    permalink_url: str
    line_items: tuple[OrderLineItem, ...]
    fulfillment: Fulfillment
    adjustments: tuple[AdjustmentEntry, ...]
    currency: str
    totals: tuple[Total, ...]
    messages: tuple[Message, ...] | None = None


def present(order: Order, permalink_url: str, messages: tuple[Message, ...] = ()) -> OrderResponse:
    """The answer for an order. `messages` say what could not be done to it."""
    return OrderResponse(
        ucp=envelope(ORDER),
        id=order.id,
        label=order.label,
        checkout_id=order.checkout_id,
        permalink_url=permalink_url,
        line_items=tuple(_line_item(order, line) for line in order.lines),
        fulfillment=Fulfillment(expectations=_expectations(order), events=tuple(map(_event, order.events))),
        adjustments=tuple(map(_adjustment, order.adjustments)),
        currency=order.currency,
        totals=order.totals,
        messages=messages or None,
    )


class OrderListResponse(Model):
    """A page of a customer's orders, the newest first."""

    ucp: Envelope
    orders: tuple[OrderResponse, ...]
    cursor: str | None


def present_list(orders: Iterable[tuple[Order, str]], cursor: str | None) -> OrderListResponse:
    """A page of orders, each with its permalink. `cursor` leads to the next page; None after the last."""
    return OrderListResponse(ucp=envelope(ORDER), orders=tuple(present(*one) for one in orders), cursor=cursor)


def _left(order: Order, line: OrderLine) -> int:
    return 0 if order.status == "canceled" else line.quantity


def _line_item(order: Order, line: OrderLine) -> OrderLineItem:
    left = _left(order, line)
    return OrderLineItem(
        id=line.id,
        item=Item(id=line.sku, title=line.title, price=line.unit_price, image_url=line.image_url),
        quantity=Quantity(original=line.original, total=left, fulfilled=line.fulfilled),
        totals=line.totals,
        status=line_status(left, line.fulfilled),
        awaited=Awaited(quantity=units, expected_on=line.expected_on) if (units := order.awaited(line)) else None,
    )


def line_status(total: int, fulfilled: int) -> Literal["processing", "partial", "fulfilled", "removed"]:
    """Derived as the protocol says: removed without a rest, fulfilled when all has left, partial when some has."""
    if total == 0:
        return "removed"
    if fulfilled >= total:
        return "fulfilled"
    return "partial" if fulfilled else "processing"


def _expectations(order: Order) -> tuple[Expectation, ...]:
    """One for each parcel; nothing is to be expected of a lost one, or of a canceled order."""
    if order.status == "canceled":
        return ()
    return tuple(
        Expectation(
            id=f"parcel_{number}",
            line_items=tuple(LineQuantity(id=line.line_id, quantity=line.quantity) for line in shipment.lines),
            destination=order.shipping_address,
            description=f"{order.shipping.title}: arrives between {order.shipping.earliest[:10]} "
            f"and {order.shipping.latest[:10]}",
            fulfillable_on=_fulfillable_on(order, shipment),
        )
        for number, shipment in enumerate(order.shipments, 1)
        if shipment.status != "lost"
    )


def _fulfillable_on(order: Order, shipment: Shipment) -> str | None:
    """A parcel is sent once all of it is there."""
    days = [
        line.expected_on
        for line in order.lines
        if order.awaited(line) and any(one.location == shipment.location for one in line.allocations if one.backordered)
    ]
    if not days:
        return "now"
    known = [day for day in days if day is not None]
    return f"{max(known).isoformat()}T00:00:00Z" if len(known) == len(days) else None


def _quantities(pairs: tuple[tuple[str, int], ...]) -> tuple[LineQuantity, ...]:
    return tuple(LineQuantity(id=line_id, quantity=quantity) for line_id, quantity in pairs)


def _event(event: FulfilmentEvent) -> FulfillmentEvent:
    return FulfillmentEvent(**event.model_dump(exclude={"line_items"}), line_items=_quantities(event.line_items))


def _adjustment(adjustment: Adjustment) -> AdjustmentEntry:
    return AdjustmentEntry(
        id=adjustment.id,
        type=adjustment.type,
        occurred_at=adjustment.occurred_at,
        status=adjustment.status,
        line_items=_quantities(adjustment.line_items) or None,
        totals=(Total(type="total", amount=adjustment.amount, display_text=adjustment.type.capitalize()),)
        if adjustment.amount
        else None,
        description=adjustment.description,
    )
