"""The workflow closes a delivered order: gives the money for lost parcels back, and checks that the books balance."""

from collections.abc import Callable
from datetime import datetime

from commerce.errors import ConditionFailed, Conflict, Contended
from commerce.events import OrderSettled, at
from commerce.fulfilment.model import given_back, reference, share_of
from commerce.ids import derived_id
from commerce.orders.model import Order, Shipment
from commerce.orders.payment import refund
from commerce.orders.ports import Books
from commerce.orders.service import TRIES
from commerce.payments.model import balance
from commerce.payments.service import PaymentGateway


def settle(books: Books, gateway: Callable[[], PaymentGateway], *, order_id: str, now: datetime) -> Order:
    """Closes a delivered order whose books balance: captured less refunded is the total less what was given back.

    Before that the buyer gets the money for parcels that were lost; `gateway` is asked for only then. Raises Conflict
    where the books do not balance or the provider refuses to give money back: no further run can mend that, a person
    must look. Raises Unavailable where the provider may not know of a refund: asking again is harmless.
    """
    order = books.orders.get(order_id)
    lost = [shipment for shipment in order.shipments if shipment.status == "lost"]
    if lost and order.status == "delivered" and not order.settled:
        for shipment in lost:
            _give_back(books, gateway(), order, shipment, now)
        order = books.orders.get(order_id)
    for _ in range(TRIES):
        if order.settled:
            return order
        if order.status != "delivered":
            raise Conflict(f"the order is {order.status}; only a delivered one is settled")
        try:
            return _closed(books, order, sum(share_of(order, shipment) for shipment in lost), now)
        except ConditionFailed:
            order = books.orders.get(order_id)
    raise Contended("the order keeps changing; settle it again")


def _give_back(books: Books, gateway: PaymentGateway, order: Order, shipment: Shipment, now: datetime) -> None:
    """What the buyer paid for the parcel, once, and never more than is left: support may have been quicker."""
    refund_id = derived_id("refund", reference(order, shipment), "lost")
    events = books.payments.of(order.id)
    amount = min(share_of(order, shipment), balance(events).refundable)
    if amount or any(event.subject == refund_id for event in events):
        refund(
            books,
            gateway,
            order_id=order.id,
            amount=amount,
            reason="parcel_lost",
            refund_id=refund_id,
            actor="workflow",
            now=now,
        )


def _closed(books: Books, order: Order, lost: int, now: datetime) -> Order:
    """`lost` is what the buyer paid for parcels that did not arrive, in minor units."""
    sums = balance(books.payments.of(order.id))
    owed = order.total - given_back(order)
    if sums.captured - sums.refunded != owed:
        raise Conflict(f"captured {sums.captured} less refunded {sums.refunded} is not the {owed} owed")
    if (refused := lost - (sums.captured - sums.refundable)) > 0:
        raise Conflict(f"the payment provider refuses to give {refused} minor units back; a person must")
    settled = OrderSettled(
        occurred_at=at(now),
        subject=order.id,
        currency=order.currency,
        total=order.total,
        captured=sums.captured,
        refunded=sums.refunded,
    )
    return books.orders.change(order, fields={"settled": True}, events=[settled])
