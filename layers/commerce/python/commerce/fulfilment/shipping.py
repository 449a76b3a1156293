"""The workflow ships: labels, capture, shipped. Each happens once, however often and from wherever it is begun."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import OrderShipped, ShippedParcel, at
from commerce.fulfilment.model import TrackingEvent, fulfilment_event, parcel_weight, reference, with_event
from commerce.inventory.model import Part
from commerce.orders.model import TERMINAL, Label, Order, Shipment, status_after
from commerce.orders.ports import Orders, Running, Stores
from commerce.orders.service import TRIES, cancel_order, parts_of, record_payment
from commerce.payments.model import balance, payment_event
from commerce.payments.service import PaymentGateway


class Carrier(Protocol):
    """Labels and tracking. `gateway.py` implements it with EasyPost."""

    def buy_label(self, order: Order, shipment: Shipment, weight_grams: int, key: str) -> Label:
        """The parcel's label, bought once however often it is asked for: it is looked up by its reference first.

        `key` is the idempotency key of the purchase. Raises Unavailable where no trustworthy answer came, Invalid
        where the carrier refuses the address or the parcel.
        """

    def void_label(self, order: Order, shipment: Shipment) -> None:
        """Gives the parcel's unused label back, if one was bought, whether or not the order knows of it.

        One that was given back already, or that is in use, is left as it is.
        """

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """The news in a webhook's body; None where it is none about a parcel.

        Header names are in lower case. Raises Unauthenticated where the signature does not hold.
        """


class Shelves(Protocol):
    """Where stock is kept."""

    def ship_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """The transaction's actions by which the order's units leave the shop, once."""


def ship(
    stores: Stores,
    shelves: Shelves,
    carrier: Carrier,
    payments: PaymentGateway,
    *,
    order_id: str,
    now: datetime,
) -> Order:
    """A label for each parcel, one capture, shipped: each once, however often and from however far this is begun again.

    Answers the order as it stands then: shipped, or what it became meanwhile (delivered, lost), or canceled, be it
    because its money could not be taken. Raises Unavailable where the carrier or the payment provider gave no
    trustworthy answer, and Invalid where the carrier refuses a parcel: the workflow tries again, and then a person
    must look.
    """
    for _ in range(TRIES):
        order = stores.orders.get(order_id)
        if order.status == "canceled":
            _give_back_labels(carrier, order)
        if order.status == "shipped" or order.status in TERMINAL:
            return order
        if order.status != "ready_to_ship":
            raise Conflict(f"the order is {order.status}; it ships once the warehouse has handed it over")
        try:
            order = _labelled(stores.orders, carrier, order)
            order = _captured(stores, payments, order, now)
            if order.status == "ready_to_ship":
                return _shipped(stores.orders, shelves, order, now)
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; ship it again")


def _give_back_labels(carrier: Carrier, order: Order) -> None:
    """A parcel that was handed over may have a label that the order never heard of. For others nobody is asked: the
    money of a canceled order does not wait for the carrier.
    """
    for shipment in order.shipments:
        if shipment.label or shipment.status == "ready_to_ship":
            carrier.void_label(order, shipment)


def _labelled(orders: Orders, carrier: Carrier, order: Order) -> Order:
    """A crash before the labels are recorded leaves some that the carrier finds again by the parcels' references."""

    def labelled(shipment: Shipment) -> Shipment:
        if shipment.label:
            return shipment
        key = f"{reference(order, shipment)}:label"
        label = carrier.buy_label(order, shipment, parcel_weight(order, shipment), key=key)
        return shipment.model_copy(update={"label": label})

    shipments = tuple(map(labelled, order.shipments))
    return order if shipments == order.shipments else orders.change(order, fields={"shipments": shipments})


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


def _shipped(orders: Orders, shelves: Shelves, order: Order, now: datetime) -> Order:
    """All parcels leave in one transaction, as they were paid."""
    events = order.events
    for shipment in order.shipments:
        events = with_event(events, fulfilment_event(order, shipment, "shipped", now))
    sent = tuple(one.model_copy(update={"status": "shipped", "shipped_at": iso(now)}) for one in order.shipments)
    return orders.change(
        order,
        to=status_after(order, sent),
        now=now,
        fields={
            "shipments": sent,
            "lines": tuple(line.model_copy(update={"fulfilled": line.quantity}) for line in order.lines),
            "events": events,
        },
        actions=shelves.ship_actions(order.id, parts_of(order), now=now),
        events=[_announced(order, now)],
    )


def _announced(order: Order, now: datetime) -> OrderShipped:
    parcels = tuple(
        ShippedParcel(location=one.location, carrier=one.label.carrier, tracking_number=one.label.tracking_number)
        for one in order.shipments
        if one.label
    )
    return OrderShipped(
        occurred_at=at(now),
        subject=order.id,
        currency=order.currency,
        total=order.total,
        carrier=parcels[0].carrier,
        tracking_number=parcels[0].tracking_number,
        parcels=parcels,
    )
