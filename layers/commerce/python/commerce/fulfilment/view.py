"""Orders as staff see them: the warehouse's list, and the whole story of one order."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from commerce.contact import Buyer, PostalAddress
from commerce.discounts.model import OrderDiscount
from commerce.events import CancelReason
from commerce.inventory.model import Reservation
from commerce.model import Model
from commerce.money import Currency
from commerce.orders.model import (
    Adjustment,
    FulfilmentEvent,
    Order,
    OrderLine,
    Shipment,
    ShipmentStatus,
    ShippingChoice,
    Status,
)
from commerce.payments.model import Balance, PaymentEvent, balance
from commerce.pricing.model import Total


class ParcelSummary(Model):
    """How far a location's parcel of the order has come."""

    location: str
    status: ShipmentStatus


class OrderSummary(Model):
    """An order on a list: no personal data."""

    id: str
    label: str
    """What stands on the parcel and the e-mails."""
    status: Status
    version: int
    placed_at: str
    shipping: str
    parcels: tuple[ParcelSummary, ...]
    units: int
    total: int
    """Minor units of `currency`."""
    currency: Currency


class WorklistResponse(Model):
    """A page of orders, the oldest first. `cursor` leads to the next page; it is absent on the last."""

    orders: tuple[OrderSummary, ...]
    cursor: Annotated[str | None, Field(max_length=500)] = None


class StaffOrder(Model):
    """An order with everything that staff need to serve it. Amounts in minor units of `currency`."""

    id: str
    label: str
    customer: str | None
    status: Status
    version: int
    currency: Currency
    lines: tuple[OrderLine, ...]
    totals: tuple[Total, ...]
    discounts: tuple[OrderDiscount, ...]
    buyer: Buyer
    shipping_address: PostalAddress
    country: str | None
    region: str | None
    erased_at: str | None
    """When its buyer was erased: buyer and address are empty since."""
    shipping: ShippingChoice
    placed_at: str
    hold_until: str
    payment_intent: str | None
    cancel_reason: CancelReason | None
    shipments: tuple[Shipment, ...]
    events: tuple[FulfilmentEvent, ...]
    adjustments: tuple[Adjustment, ...]
    settled: bool
    waits_in: str | None
    """The state in which the workflow last waited for this order."""


class OrderStory(Model):
    """The order, its money and its stock."""

    order: StaffOrder
    payments: tuple[PaymentEvent, ...]
    balance: Balance
    reservations: tuple[Reservation, ...]


def summary(order: Order) -> OrderSummary:
    """The order as a list shows it."""
    return OrderSummary(
        id=order.id,
        label=order.label,
        status=order.status,
        version=order.version,
        placed_at=order.placed_at,
        shipping=order.shipping.title,
        parcels=tuple(ParcelSummary(location=one.location, status=one.status) for one in order.shipments),
        units=sum(line.quantity for line in order.lines),
        total=order.total,
        currency=order.currency,
    )


def staff_order(order: Order) -> StaffOrder:
    """The order without what is the workflow's alone: a task token is a capability."""
    shown = StaffOrder.model_fields.keys() & Order.model_fields.keys()
    return StaffOrder(label=order.label, waits_in=order.task_state, **{name: getattr(order, name) for name in shown})


def story(order: Order, payments: Iterable[PaymentEvent], reservations: Iterable[Reservation]) -> OrderStory:
    """Everything the shop knows about the order."""
    events = tuple(payments)
    return OrderStory(
        order=staff_order(order), payments=events, balance=balance(events), reservations=tuple(reservations)
    )
