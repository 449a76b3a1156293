"""What the warehouse and the carrier say, and the pure rules on it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from commerce.clock import iso
from commerce.errors import Invalid
from commerce.ids import derived_id
from commerce.model import Model, StaffModel
from commerce.money import allocate
from commerce.orders.model import FulfilmentEvent, Order, OrderLine, Shipment
from commerce.pricing.model import amount_of

TrackingStatus = Literal[
    "pre_transit",
    "in_transit",
    "out_for_delivery",
    "available_for_pickup",
    "delivered",
    "failure",
    "return_to_sender",
    "lost",
]

Ending = Literal["delivered", "lost"]
"""How the journey of a parcel ends."""

EVENT_TYPES: dict[TrackingStatus, str] = {
    "pre_transit": "processing",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "available_for_pickup",
    "delivered": "delivered",
    "failure": "failed_attempt",
    "return_to_sender": "returned_to_sender",
    "lost": "undeliverable",
}
"""The fulfilment event that each status of a parcel becomes. Source: UCP types/fulfillment_event.json."""

_STAGES = (
    "processing",
    "shipped",
    "in_transit",
    "out_for_delivery",
    "available_for_pickup",
    "failed_attempt",
    "delivered",
    "returned_to_sender",
    "undeliverable",
)
_SECONDS = len("2026-11-22T08:15:30")

UNDELIVERABLE: frozenset[TrackingStatus] = frozenset({"return_to_sender", "lost"})
"""After these the buyer will not get the parcel. A `failure` is one failed attempt: the carrier tries again."""

MAX_WEIGHT_GRAMS = 70_000
"""The heaviest parcel that the usual carriers take (UPS, FedEx: 150 lb)."""


class TrackingEvent(Model):
    """What the carrier says about a parcel."""

    order_id: str
    """The order in the reference under which the label was bought."""
    tracking_number: str
    status: TrackingStatus
    occurred_at: datetime


class PickedLine(StaffModel):
    """How many units of a line the picker found on the shelf."""

    line_id: str
    quantity: int = Field(ge=0, le=100_000)


def shipment_at(order: Order, location: str | None) -> Shipment:
    """The order's parcel from this location; its only one where none is named.

    Raises Invalid for a location that gives nothing to the order, and where several do and none is named.
    """
    places = ", ".join(shipment.location for shipment in order.shipments)
    if location is None and len(order.shipments) > 1:
        raise Invalid(f"the order has several parcels; say which location's: {places}", path="$.location")
    for shipment in order.shipments:
        if location in (None, shipment.location):
            return shipment
    raise Invalid(f"this location has no parcel of the order; these have: {places}", path="$.location")


def with_shipment(order: Order, shipment: Shipment) -> tuple[Shipment, ...]:
    """The order's parcels with `shipment` in the place of what it was."""
    return tuple(shipment if one.location == shipment.location else one for one in order.shipments)


def reference(order: Order, shipment: Shipment) -> str:
    """What the parcel is called at the carrier: the order's id, with the location where the order has several."""
    return order.id if len(order.shipments) == 1 else f"{order.id}-{shipment.location}"


def order_named(reference: str) -> str:
    """The id of the order whose parcel is called so at the carrier. No order's id has a hyphen."""
    return reference.partition("-")[0]


def missing_units(shipment: Shipment, picked: Iterable[PickedLine]) -> dict[str, int]:
    """By line id, how many units of the parcel were not on the shelf; empty where all were found.

    Raises Invalid for a count that does not name every line once, or finds more than belong into the parcel.
    """
    counted: dict[str, int] = {}
    wanted = {line.line_id: line.quantity for line in shipment.lines}
    for position, line in enumerate(picked):
        if line.line_id not in wanted:
            raise Invalid("the parcel has no such line", path=f"$.lines[{position}].line_id")
        if line.line_id in counted:
            raise Invalid("this line is counted twice", path=f"$.lines[{position}].line_id")
        if line.quantity > wanted[line.line_id]:
            raise Invalid(
                f"only {wanted[line.line_id]} of this line belong into the parcel",
                path=f"$.lines[{position}].quantity",
            )
        counted[line.line_id] = line.quantity
    if uncounted := [line_id for line_id in wanted if line_id not in counted]:
        raise Invalid(f"the count lacks the lines {', '.join(uncounted)}", path="$.lines")
    return {line_id: wanted[line_id] - found for line_id, found in counted.items() if found < wanted[line_id]}


def missing_stock(lines: Iterable[OrderLine], missing: Mapping[str, int]) -> dict[str, int]:
    """By SKU, how many units are not on the shelf; `missing` is by line id."""
    gone: dict[str, int] = {}
    for line in lines:
        if units := missing.get(line.id):
            gone[line.sku] = gone.get(line.sku, 0) + units
    return gone


def parcel_weight(order: Order, shipment: Shipment) -> int:
    """Grams: what the scales said, else what the catalogue says of the goods; never 0, which no carrier takes."""
    each = {line.id: line.weight_grams for line in order.lines}
    return shipment.weight_grams or max(1, sum(each[line.line_id] * line.quantity for line in shipment.lines))


def fulfilment_event(order: Order, shipment: Shipment, kind: str, occurred_at: datetime) -> FulfilmentEvent:
    """The parcel had `kind` happen to it. The id is derived, so that the same news is the same event."""
    label = shipment.label
    return FulfilmentEvent(
        id=derived_id("fev", reference(order, shipment), kind, iso(occurred_at)),
        occurred_at=iso(occurred_at),
        type=kind,
        line_items=tuple((line.line_id, line.quantity) for line in shipment.lines),
        tracking_number=label.tracking_number if label else None,
        tracking_url=label.tracking_url if label else None,
        carrier=label.carrier if label else None,
    )


def with_event(events: tuple[FulfilmentEvent, ...], event: FulfilmentEvent) -> tuple[FulfilmentEvent, ...]:
    """The history with `event` once, in the order in which things happened (news may arrive out of it).

    Carriers tell time in seconds: within one, a parcel's stages follow each other as they do on any journey.
    """
    if any(known.id == event.id for known in events):
        return events
    return tuple(sorted((*events, event), key=lambda one: (one.occurred_at[:_SECONDS], _STAGES.index(one.type))))


def given_back(order: Order) -> int:
    """Minor units that the order says went back to the buyer: its completed refunds."""
    return -sum(one.amount for one in order.adjustments if one.type == "refund" and one.status == "completed")


def share_of(order: Order, shipment: Shipment) -> int:
    """What the buyer paid for the parcel, in minor units: its part of the order's total by the worth of its goods.

    So shipping and tax are shared too, and the shares of all parcels sum to the total. Goods that cost nothing count by
    their units.
    """
    worth = [0 for _ in order.shipments]
    for line in order.lines:
        units = [sum(part.quantity for part in one.lines if part.line_id == line.id) for one in order.shipments]
        parts = allocate(amount_of(line.totals, "total"), units)
        worth = [sum(both) for both in zip(worth, parts, strict=True)]
    if not any(worth):
        worth = [sum(part.quantity for part in one.lines) for one in order.shipments]
    place = [one.location for one in order.shipments].index(shipment.location)
    return allocate(order.total, worth)[place]
