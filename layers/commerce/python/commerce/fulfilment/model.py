"""What the warehouse and the carrier say, and the pure rules on it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from commerce.clock import iso
from commerce.errors import Invalid
from commerce.ids import derived_id
from commerce.model import Model, OpenModel
from commerce.orders.model import FulfilmentEvent, Order, OrderLine

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
    """What the carrier's webhook says about a parcel, once its signature holds."""

    order_id: str
    """The reference under which the label was bought."""
    tracking_number: str
    status: TrackingStatus
    occurred_at: datetime


class PickedLine(OpenModel):
    """How many units of a line the picker found on the shelf."""

    line_id: str
    quantity: int = Field(ge=0, le=100_000)


def missing_units(order: Order, picked: Iterable[PickedLine]) -> dict[str, int]:
    """By line id, how many units of the order were not on the shelf; empty where all were found.

    Raises Invalid for a count that does not name every line once, or finds more than was ordered.
    """
    counted: dict[str, int] = {}
    wanted = {line.id: line.quantity for line in order.lines}
    for position, line in enumerate(picked):
        if line.line_id not in wanted:
            raise Invalid("the order has no such line", path=f"$.lines[{position}].line_id")
        if line.line_id in counted:
            raise Invalid("this line is counted twice", path=f"$.lines[{position}].line_id")
        if line.quantity > wanted[line.line_id]:
            raise Invalid(
                f"only {wanted[line.line_id]} of this line were ordered", path=f"$.lines[{position}].quantity"
            )
        counted[line.line_id] = line.quantity
    if uncounted := [line_id for line_id in wanted if line_id not in counted]:
        raise Invalid(f"the count lacks the lines {', '.join(uncounted)}", path="$.lines")
    return {line_id: wanted[line_id] - found for line_id, found in counted.items() if found < wanted[line_id]}


def missing_stock(lines: Iterable[OrderLine], missing: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """By SKU and location, how many units are not on the shelf; `missing` is by line id.

    A line that was to come from several places lacks units of its last places first.
    """
    gone: dict[tuple[str, str], int] = {}
    for line in lines:
        left = missing.get(line.id, 0)
        for allocation in reversed(line.allocations):
            units = min(left, allocation.quantity)
            if units:
                place = (line.sku, allocation.location)
                gone[place] = gone.get(place, 0) + units
                left -= units
    return gone


def parcel_weight(order: Order) -> int:
    """Grams: what the scales said, else what the catalogue says of the goods; never 0, which no carrier takes."""
    return order.weight_grams or max(1, sum(line.weight_grams * line.quantity for line in order.lines))


def fulfilment_event(order: Order, kind: str, occurred_at: datetime) -> FulfilmentEvent:
    """The whole order had `kind` happen to it. The id is derived, so that the same news is the same event."""
    shipment = order.shipment
    return FulfilmentEvent(
        id=derived_id("fev", order.id, kind, iso(occurred_at)),
        occurred_at=iso(occurred_at),
        type=kind,
        line_items=tuple((line.id, line.quantity) for line in order.lines if line.quantity),
        tracking_number=shipment.tracking_number if shipment else None,
        tracking_url=shipment.tracking_url if shipment else None,
        carrier=shipment.carrier if shipment else None,
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
