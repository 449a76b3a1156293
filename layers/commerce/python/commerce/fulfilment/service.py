"""From a confirmed order to a delivered one.

The warehouse picks, packs and hands over; the workflow ships and settles; the carrier's news track the parcel. Every
use case may run twice, late or beside another one: each change holds only for the order as it was read, and a step that
is done already answers with the order as it is. Whoever moves an order on writes it first and then wakes the workflow,
with the token that stands on the order *after* the write: a token stored later than that is not needed, because the
condition under which the workflow stores it fails, and it goes on by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import (
    OrderDelivered,
    OrderLost,
    OrderSettled,
    OrderShipped,
    at,
)
from commerce.fulfilment.model import (
    EVENT_TYPES,
    UNDELIVERABLE,
    Ending,
    PickedLine,
    TrackingEvent,
    fulfilment_event,
    given_back,
    missing_stock,
    missing_units,
    parcel_weight,
    with_event,
)
from commerce.inventory.model import Part
from commerce.inventory.service import StockLedger, adjust_stock
from commerce.orders.model import TERMINAL, Order, Shipment, Status
from commerce.orders.ports import Orders, PaymentLedger, Running, Stores, Workflow
from commerce.orders.service import TRIES, cancel_order, expect_version, parts_of, record_payment
from commerce.payments.model import balance, payment_event
from commerce.payments.service import PaymentGateway


class Carrier(Protocol):
    """Labels and tracking. `gateway.py` implements it with EasyPost."""

    def buy_label(self, order: Order, weight_grams: int, key: str) -> Shipment:
        """The order's label, bought once however often it is asked for: it is looked up by the order id first.

        `key` is the idempotency key of the purchase. Raises Unavailable where no trustworthy answer came, Invalid
        where the carrier refuses the address or the parcel.
        """

    def void_label(self, shipment_id: str) -> None:
        """Gives an unused label back. One that was given back already, or that is in use, is left as it is."""

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """The news in a webhook's body; None where it is none about a parcel.

        Header names are in lower case. Raises Unauthenticated where the signature does not hold.
        """


class Worklists(Protocol):
    """Orders by what must be done with them."""

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first, placed after the moment `after`; at least the first `limit`."""


class Shelves(Protocol):
    """Where stock is kept."""

    def ship_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """The transaction's actions by which the order's units leave the shop, once."""


def worklist(
    orders: Worklists, *, status: Status, after: str | None, limit: int
) -> tuple[tuple[Order, ...], str | None]:
    """A page of the orders in `status`, the oldest first, and the moment after which the next page begins.

    Orders placed in the same millisecond stay on one page, so that the moment alone is a sound cursor.
    """
    found = []
    for order in orders.listed(status, after=after, limit=limit + 1):
        found.append(order)
        if len(found) > limit:
            break
    if len(found) <= limit:
        return tuple(found), None
    page = tuple(order for order in found if order.placed_at < found[-1].placed_at) or tuple(found)
    return page, page[-1].placed_at


def pick(
    stores: Stores,
    stock: StockLedger,
    workflow: Workflow,
    *,
    order_id: str,
    picked: tuple[PickedLine, ...],
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """Records what the picker found: all of it, and the order is picked; less, and it is canceled.

    Units that are not on the shelf then leave the stock too, so that they are not sold again. Raises Invalid for a
    count that does not fit the order, Conflict for an order that is not to be picked.
    """
    order = stores.orders.get(order_id)
    missing = missing_units(order, picked)
    if not missing:
        return _by_staff(stores, order, "confirmed", "picked", {}, actor, now, expected)
    if order.cancel_reason != "short_pick":
        _expect(order, "confirmed", expected)
    order = cancel_order(stores, workflow, order, reason="short_pick", actor=actor, now=now)
    _write_off(stock, stores.audit, order, missing_stock(order.lines, missing), actor, now)
    return order


def _write_off(
    stock: StockLedger,
    audit: Audit,
    order: Order,
    missing: Mapping[tuple[str, str], int],
    actor: str,
    now: datetime,
) -> None:
    """Runs again for a repeated short pick: the adjustment's id belongs to the order, so nothing leaves twice.

    Canceling made the units free first, and a buyer may have been quicker than this: then they are promised to that
    order already, whose picker will not find them either.
    """
    for (sku, location), units in missing.items():
        try:
            adjust_stock(
                stock,
                audit,
                sku=sku,
                quantity=-units,
                reason="not found on the shelf",
                actor=actor,
                adjustment_id=f"{order.id}#short_pick#{sku}#{location}",
                now=now,
                location=location,
            )
        except Conflict:
            continue


def pack(
    stores: Stores,
    *,
    order_id: str,
    weight_grams: int,
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """Closes the parcel, which weighs `weight_grams`. Raises Conflict for an order that is not picked."""
    fields = {"weight_grams": weight_grams}
    order = stores.orders.get(order_id)
    return _by_staff(stores, order, "picked", "packed", fields, actor, now, expected)


def hand_over(
    stores: Stores,
    workflow: Workflow,
    *,
    order_id: str,
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """The parcel stands ready for the carrier: wakes the workflow, which buys the label and captures.

    Handing over again wakes it again, in case the first signal was lost.
    """
    order = stores.orders.get(order_id)
    order = _by_staff(stores, order, "packed", "ready_to_ship", {}, actor, now, expected)
    workflow.succeed(stores.orders.get(order_id).task_token, {"status": order.status})
    return order


def _by_staff(
    stores: Stores,
    order: Order,
    leaves: Status,
    to: Status,
    fields: dict[str, Any],
    actor: str,
    now: datetime,
    expected: int | None,
) -> Order:
    """One step of the warehouse, with its audit entry. An order that took this very step already is left as it is."""
    if order.status == to and all(getattr(order, name) == value for name, value in fields.items()):
        return order
    _expect(order, leaves, expected)
    recorded = stores.audit.action(
        f"order#{order.id}",
        actor=actor,
        action=to,
        now=now,
        before={"status": order.status},
        after={"status": to, **fields},
    )
    try:
        return stores.orders.change(order, to=to, fields=fields, actions=[recorded])
    except ConditionFailed:
        raise Conflict("somebody else changed the order at this moment; read it again") from None


def _expect(order: Order, status: Status, version: int | None) -> None:
    expect_version(order, version)
    if order.status != status:
        raise Conflict(f"the order is {order.status}; this can only be done while it is {status}")


def ship(
    stores: Stores,
    shelves: Shelves,
    carrier: Carrier,
    payments: PaymentGateway,
    *,
    order_id: str,
    now: datetime,
) -> Order:
    """Label, capture, shipped: each once, however often and from however far this is begun again.

    Answers the order as it stands then: shipped, or what it became meanwhile (delivered, lost), or canceled, be it
    because its money could not be taken. Raises Unavailable where the carrier or the payment provider gave no
    trustworthy answer, and Invalid where the carrier refuses the parcel: the workflow tries again, and then a person
    must look.
    """
    for _ in range(TRIES):
        order = stores.orders.get(order_id)
        if order.status == "canceled" and order.shipment is not None:
            carrier.void_label(order.shipment.id)
        if order.status == "shipped" or order.status in TERMINAL:
            return order
        if order.status != "ready_to_ship":
            raise Conflict(f"the order is {order.status}; it ships once the warehouse has handed it over")
        try:
            order, shipment = _labelled(stores.orders, carrier, order)
            order = _captured(stores, payments, order, now)
            if order.status == "ready_to_ship":
                return _shipped(stores.orders, shelves, order, shipment, now)
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; ship it again")


def _labelled(orders: Orders, carrier: Carrier, order: Order) -> tuple[Order, Shipment]:
    """A crash between the two leaves a label that the carrier finds again by the order's id."""
    if order.shipment is not None:
        return order, order.shipment
    shipment = carrier.buy_label(order, parcel_weight(order), key=f"{order.id}:label")
    return orders.change(order, fields={"shipment": shipment}), shipment


def _captured(stores: Stores, payments: PaymentGateway, order: Order, now: datetime) -> Order:
    """The order with its money taken, or canceled where that can never be.

    A crash after the capture is mended by its key: the same answer comes again. What was taken is recorded even if the
    order is canceled at this moment, so that the compensation gives it back.
    """
    if balance(stores.payments.of(order.id)).captured:
        return order
    if order.payment_intent is None:
        raise Conflict("the order has no payment to capture")
    capture = payments.capture(order.payment_intent, order.total, key=f"{order.id}:capture")
    if capture.outcome == "unknown":
        raise Unavailable("the payment provider gave no answer about the capture")
    captured = capture.outcome == "captured"
    payment = payment_event(
        "captured" if captured else "capture_failed",
        order.payment_intent,
        capture.amount if captured else order.total,
        order.currency,
        now,
        reference=capture.charge_id,
        reason=capture.reason,
    )
    if captured:
        return record_payment(stores, order, payment)
    return cancel_order(stores, Running(), order, reason="capture_failed", actor="workflow", now=now, payment=payment)


def _shipped(orders: Orders, shelves: Shelves, order: Order, shipment: Shipment, now: datetime) -> Order:
    return orders.change(
        order,
        to="shipped",
        fields={
            "shipment": shipment.model_copy(update={"shipped_at": iso(now)}),
            "lines": tuple(line.model_copy(update={"fulfilled": line.quantity}) for line in order.lines),
            "events": with_event(order.events, fulfilment_event(order, "shipped", now)),
        },
        actions=shelves.ship_actions(order.id, parts_of(order), now=now),
        events=[
            OrderShipped(
                occurred_at=at(now),
                subject=order.id,
                currency=order.currency,
                total=order.total,
                carrier=shipment.carrier,
                tracking_number=shipment.tracking_number,
            )
        ],
    )


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
        _expect(order, "shipped", expected)
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


def settle(orders: Orders, ledger: PaymentLedger, *, order_id: str, now: datetime) -> Order:
    """Closes a delivered order whose books balance: captured less refunded is the total less what was given back.

    Raises Conflict otherwise: no further run can mend that, a person must look.
    """
    for _ in range(TRIES):
        order = orders.get(order_id)
        if order.settled:
            return order
        if order.status != "delivered":
            raise Conflict(f"the order is {order.status}; only a delivered one is settled")
        sums = balance(ledger.of(order_id))
        owed = order.total - given_back(order)
        if sums.captured - sums.refunded != owed:
            raise Conflict(f"captured {sums.captured} less refunded {sums.refunded} is not the {owed} owed")
        settled = OrderSettled(
            occurred_at=at(now),
            subject=order.id,
            currency=order.currency,
            total=order.total,
            captured=sums.captured,
            refunded=sums.refunded,
        )
        try:
            return orders.change(order, fields={"settled": True}, events=[settled])
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; settle it again")
