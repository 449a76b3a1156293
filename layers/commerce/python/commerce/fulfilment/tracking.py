"""What the carrier's news, and staff where it is silent, make of a parcel on its way.

Whoever ends a journey writes the order first and then wakes the workflow, see `warehouse.py`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import OrderDelivered, OrderLost, at
from commerce.fulfilment.model import EVENT_TYPES, UNDELIVERABLE, Ending, TrackingEvent, fulfilment_event, with_event
from commerce.orders.model import Order, Status
from commerce.orders.ports import Orders, Stores, Workflow
from commerce.orders.service import TRIES, expect_status


def track(orders: Orders, workflow: Workflow, news: TrackingEvent, *, now: datetime) -> Order | None:
    """The carrier's news, once each, in whatever order and however often it comes.

    None where it is about no parcel of the shop's (another environment's, or a label that was given back). Raises
    Unavailable for the end of a parcel that the shop has not marked shipped yet: the carrier sends it again.
    """
    for _ in range(TRIES):
        order = orders.find(news.order_id)
        if order is None or order.shipment is None or order.shipment.tracking_number != news.tracking_number:
            return None
        try:
            order = _tracked(orders, order, news, now)
        except ConditionFailed:
            continue
        _wake(orders, workflow, order)
        return order
    raise Contended("the order keeps changing; send the news again")


def end_journey(
    stores: Stores,
    workflow: Workflow,
    *,
    order_id: str,
    ending: Ending,
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """Staff know what became of a parcel that its carrier is silent about. Told again, it wakes the workflow again.

    Raises NotFound, Conflict for an order that is not on its way, StaleVersion.
    """
    order = stores.orders.get(order_id)
    if order.status != ending:
        expect_status(order, "shipped", expected)
        number = order.shipment.tracking_number if order.shipment else ""
        news = TrackingEvent(order_id=order.id, tracking_number=number, status=ending, occurred_at=now)
        recorded = stores.audit.action(
            f"order#{order.id}",
            actor=actor,
            action=ending,
            now=now,
            before={"status": order.status},
            after={"status": ending},
        )
        try:
            order = _tracked(stores.orders, order, news, now, [recorded])
        except ConditionFailed:
            raise Conflict("somebody else changed the order at this moment; read it again") from None
    _wake(stores.orders, workflow, order)
    return order


def _tracked(
    orders: Orders, order: Order, news: TrackingEvent, now: datetime, actions: Iterable[dict[str, Any]] = ()
) -> Order:
    to = _ending(news)
    if to and order.status == "ready_to_ship":
        raise Unavailable("the order is about to be marked shipped; send the news again")
    moves = to if order.status == "shipped" else None
    history = with_event(order.events, fulfilment_event(order, EVENT_TYPES[news.status], news.occurred_at))
    if moves is None and history == order.events:
        return order
    return orders.change(
        order,
        to=moves,
        fields={"events": history},
        actions=actions,
        events=[
            kind(occurred_at=at(now), subject=order.id, currency=order.currency, total=order.total)
            for status, kind in _ENDINGS.items()
            if status == moves
        ],
    )


_ENDINGS: dict[Status, type[OrderDelivered | OrderLost]] = {"delivered": OrderDelivered, "lost": OrderLost}


def _ending(news: TrackingEvent) -> Status | None:
    """What the news makes of a shipped order, if it ends the journey."""
    if news.status == "delivered":
        return "delivered"
    return "lost" if news.status in UNDELIVERABLE else None


def _wake(orders: Orders, workflow: Workflow, order: Order) -> None:
    """Repeated news wakes the workflow again, in case the first signal was lost."""
    if order.status == "delivered":
        workflow.succeed(orders.get(order.id).task_token, {"status": "delivered"})
    elif order.status == "lost":
        workflow.fail(orders.get(order.id).task_token, "ParcelLost", "the carrier cannot deliver the parcel")
