"""What the carrier's news, and staff where it is silent, make of a parcel on its way.

The order ends with the last of its parcels. Whoever ends a journey writes the order first and then wakes the workflow.
Repeated news wake it again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.fulfilment.model import (
    EVENT_TYPES,
    UNDELIVERABLE,
    Ending,
    TrackingEvent,
    TrackingStatus,
    fulfilment_event,
    shipment_at,
    with_event,
    with_shipment,
)
from commerce.orders.model import TERMINAL, FulfilmentEvent, Order, Shipment, status_after
from commerce.orders.ports import Orders, Stores, Workflow
from commerce.orders.service import TRIES, expect_version, journey_ended, wake


def track(orders: Orders, workflow: Workflow, news: TrackingEvent, *, now: datetime) -> Order | None:
    """The carrier's news, once each, in whatever order and however often it comes.

    None where it is about no parcel of the shop's (another environment's, or a label that was given back). Raises
    Unavailable for the end of a parcel that the shop has not marked shipped yet: the carrier sends it again.
    """
    for _ in range(TRIES):
        order = orders.find(news.order_id)
        shipment = _followed(order, news.tracking_number) if order else None
        if order is None or shipment is None:
            return None
        try:
            order = _tracked(orders, order, shipment, news.status, news.occurred_at, now)
        except ConditionFailed:
            continue
        if order.status in TERMINAL:
            wake(orders, workflow, order.id)
        return order
    raise Contended("the order keeps changing; send the news again")


def knows(order: Order, news: TrackingEvent) -> bool:
    """Whether the order's history has the news. Of a strange parcel there is nothing to know, nor of one that the
    carrier still awaits: that the label was bought is often told before the order has it.
    """
    shipment = _followed(order, news.tracking_number)
    if shipment is None or news.status == "pre_transit":
        return True
    return _noted(order, shipment, news.status, news.occurred_at) == order.events


def _followed(order: Order, tracking_number: str) -> Shipment | None:
    labelled = (one for one in order.shipments if one.label and one.label.tracking_number == tracking_number)
    return next(labelled, None)


def end_journey(
    stores: Stores,
    workflow: Workflow,
    *,
    order_id: str,
    ending: Ending,
    actor: str,
    now: datetime,
    location: str | None = None,
    expected: int | None = None,
) -> Order:
    """Staff know what became of a location's parcel that its carrier is silent about. Told again, it wakes the workflow
    again.

    Raises NotFound, Invalid as `shipment_at` does, Conflict for a parcel that is not on its way, StaleVersion.
    """
    order = stores.orders.get(order_id)
    shipment = shipment_at(order, location)
    if shipment.status != ending:
        expect_version(order, expected)
        if shipment.status != "shipped":
            raise Conflict(
                f"the order is {order.status}, its parcel at {shipment.location} {shipment.status}; "
                "this can only be done while the parcel is shipped"
            )
        recorded = stores.audit.action(
            f"order#{order.id}",
            actor=actor,
            action=f"parcel.{ending}",
            now=now,
            before={"location": shipment.location, "status": shipment.status},
            after={"location": shipment.location, "status": ending},
        )
        try:
            order = _tracked(stores.orders, order, shipment, ending, now, now, [recorded])
        except ConditionFailed:
            raise Conflict("somebody else changed the order at this moment; read it again") from None
    wake(stores.orders, workflow, order.id)
    return order


def _tracked(
    orders: Orders,
    order: Order,
    shipment: Shipment,
    status: TrackingStatus,
    occurred_at: datetime,
    now: datetime,
    actions: Iterable[dict[str, Any]] = (),
) -> Order:
    ending = _ending(status)
    if ending and order.status == "ready_to_ship":
        raise Unavailable("the order is about to be marked shipped; send the news again")
    history = _noted(order, shipment, status, occurred_at)
    if ending and shipment.status == "shipped":
        ended = shipment.model_copy(update={"status": ending, "ended_at": iso(occurred_at)})
        shipments = with_shipment(order, ended)
        to = status_after(order, shipments)
        return orders.change(
            order,
            to=to,
            now=now,
            fields={"events": history, "shipments": shipments},
            actions=actions,
            events=[journey_ended(order, to, now)] if to else [],
        )
    return order if history == order.events else orders.change(order, fields={"events": history})


def _noted(
    order: Order, shipment: Shipment, status: TrackingStatus, occurred_at: datetime
) -> tuple[FulfilmentEvent, ...]:
    return with_event(order.events, fulfilment_event(order, shipment, EVENT_TYPES[status], occurred_at))


def _ending(status: TrackingStatus) -> Ending | None:
    """What the news makes of a parcel on its way, if it ends the journey."""
    if status == "delivered":
        return "delivered"
    return "lost" if status in UNDELIVERABLE else None
